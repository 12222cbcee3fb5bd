"""Clients that send too much, too slowly, or lie; readers that do not read. Each ends as documented."""

from __future__ import annotations

import asyncio

import pytest

from dragoman.gateway.server.app import Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.refusals import Disconnected
from tests.gateway.serving import JSON, Client, echo, running, serving, until

POST = b"POST / HTTP/1.1\r\nhost: here\r\n"
ENOUGH = 200_000_000  # more than any kernel buffers hold


async def send_until_cut(client: Client, piece: bytes, most: int = ENOUGH) -> int:
    """Sends the piece again and again until the server has had enough; returns how many bytes went."""
    sent = 0
    try:
        while sent < most:
            await client.send(piece)
            sent += len(piece)
            if client.writer.transport.is_closing():
                break
            await asyncio.sleep(0)  # the server runs in this loop too
    except ConnectionError:
        pass
    return sent


# -- heads -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nhost: here\r\n\r\n",
        POST + b"x: " + b"y" * 40_000 + b"\r\n\r\n",
        POST + b"x" * 40_000 + b": y\r\n\r\n",
        POST + b"".join(b"x-%d: y\r\n" % number for number in range(101)) + b"\r\n",
        POST + b"x: y\r\n" * 5_000 + b"\r\n",
    ],
    ids=["target", "value", "name", "many", "one repeated"],
)
def test_a_head_that_is_too_large_is_refused(head: bytes) -> None:
    async def test() -> None:
        async with serving() as server:
            assert (await server.exchanged(head)).startswith(b"HTTP/1.1 431 ")

    running(test)


@pytest.mark.parametrize(
    "piece", [b"y" * 1000, b"x: y\r\n", b"\r\n", b"y"], ids=["one value", "many headers", "empty lines", "drips"]
)
def test_an_endless_head_is_cut_off_early(piece: bytes) -> None:
    start = b"" if piece == b"\r\n" else POST + b"x: "

    async def test() -> None:
        async with serving(head_bytes=8000, head_seconds=2, idle_seconds=0.3, linger_seconds=0.1) as server:
            client = await server.connect()
            await client.send(start)
            sent = await send_until_cut(client, piece)
            assert sent < ENOUGH
            await server.left_nothing()

    running(test)


def test_pipelined_requests_may_be_longer_together_than_one_head() -> None:
    async def test() -> None:
        async with serving(head_bytes=2000, pipelined=200) as server:
            client = await server.connect()
            request = POST + b"x: " + b"y" * 900 + b"\r\ncontent-length: 3000\r\n\r\n" + b"z" * 3000
            sending = asyncio.create_task(client.send(request * 50))
            for _ in range(50):
                assert (await client.answer())[0] == 200
            await sending

    running(test)


def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    async def test() -> None:
        async with serving(idle_seconds=0.1) as server:
            assert await (await server.connect()).rest() == b""
            client = await server.connect()
            await client.send(POST + b"\r\n")
            assert (await client.answer())[0] == 200
            assert await client.rest() == b""

    running(test)


def test_a_head_that_does_not_end_in_time_is_refused_even_while_it_drips() -> None:
    async def test() -> None:
        async with serving(head_seconds=0.2) as server:
            silent, dripping = await server.connect(), await server.connect()
            await silent.send(b"POST / HTT")
            await dripping.send(POST + b"x: ")
            drip = asyncio.create_task(send_until_cut(dripping, b"y", most=10_000))
            for client in (silent, dripping):
                answer = await client.rest()
                assert answer.startswith(b"HTTP/1.1 408 ")
                assert b'"code":"too_slow"' in answer
            await drip

    running(test)


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_a_body_that_says_it_is_too_long_is_refused_at_once() -> None:
    async def test() -> None:
        async with serving(body_bytes=1000) as server:
            client = await server.connect()
            await client.send(POST + b"content-length: 1001\r\n\r\n")
            status, headers, body = await client.answer()
            assert (status, headers["connection"]) == (413, "close")
            assert b"1000 bytes" in body

    running(test)


def test_a_refused_client_that_is_still_sending_reads_why() -> None:
    async def test() -> None:
        async with serving(body_bytes=1000, linger_seconds=5) as server:
            client = await server.connect()
            answers = asyncio.create_task(client.answer())
            await client.send(POST + b"content-length: 3000000\r\n\r\n" + b"x" * 3_000_000)
            assert (await answers)[0] == 413

    running(test)


def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_long() -> None:
    async def test() -> None:
        async with serving(body_bytes=100_000, linger_seconds=0.1) as server:
            client = await server.connect()
            await client.send(POST + b"transfer-encoding: chunked\r\n\r\n")
            await send_until_cut(client, b"2710\r\n" + b"x" * 10_000 + b"\r\n", most=50_000_000)
            assert server.app.refused["request_too_large"] == 1
            await server.left_nothing()

    running(test)


@pytest.mark.parametrize(
    "start", [b"1;", b"1\r\nx\r\n0\r\nx: "], ids=["an endless chunk extension", "an endless trailer"]
)
def test_framing_without_content_is_bounded(start: bytes) -> None:
    async def test() -> None:
        async with serving(linger_seconds=0.1) as server:
            client = await server.connect()
            await client.send(POST + b"transfer-encoding: chunked\r\n\r\n" + start)
            await send_until_cut(client, b"y" * 5000, most=50_000_000)
            assert server.app.refused["chunks"] == 1

    running(test)


def test_a_body_shorter_than_it_says_never_reaches_the_handler() -> None:
    async def test() -> None:
        entered: list[str] = []

        async def seen(call: Call) -> None:
            entered.append(call.path)
            await echo(call)

        async with serving(seen, progress_seconds=0.1) as server:
            waiting = await server.connect()
            await waiting.send(POST + b"content-length: 10\r\n\r\nhalf")
            assert (await waiting.rest()).startswith(b"HTTP/1.1 408 ")
            leaving = await server.connect()
            await leaving.send(POST + b"content-length: 10\r\n\r\nhalf")
            await until(lambda: server.app.bytes_in_flight > 0)
            await leaving.close()
            await server.left_nothing()
            assert entered == []

    running(test)


def test_a_body_longer_than_it_says_is_not_part_of_it() -> None:
    async def test() -> None:
        async with serving() as server:
            answer = await server.exchanged(POST + b"content-length: 2\r\n\r\nhi there, more\r\n\r\n")
            assert b"\r\n\r\nhi" in answer
            assert answer.count(b"HTTP/1.1 400 ") == 1

    running(test)


def test_a_body_that_drips_ends_at_the_least_progress_and_one_that_flows_does_not() -> None:
    async def test() -> None:
        async with serving(progress_seconds=0.2, progress_bytes=1000, body_seconds=30, linger_seconds=0.1) as server:
            dripping = await server.connect()
            await dripping.send(POST + b"content-length: 1000000\r\n\r\n")
            drip = asyncio.create_task(send_until_cut(dripping, b"x", most=300))
            flowing = await server.connect()
            await flowing.send(POST + b"content-length: 40000\r\n\r\n")
            ended = asyncio.get_running_loop().time() + 0.6
            sent = 0
            while sent < 40_000 and asyncio.get_running_loop().time() < ended:
                await flowing.send(b"x" * 100)
                sent += 100
                await asyncio.sleep(0.001)
            await flowing.send(b"x" * (40_000 - sent))
            assert (await flowing.answer())[0] == 200
            assert (await dripping.rest()).startswith(b"HTTP/1.1 408 ")
            await drip

    running(test)


def test_a_body_may_not_take_for_ever_however_it_flows() -> None:
    async def test() -> None:
        async with serving(body_seconds=0.3, linger_seconds=0.1) as server:
            client = await server.connect()
            await client.send(POST + b"transfer-encoding: chunked\r\n\r\n")
            await send_until_cut(client, b"1\r\nx\r\n", most=50_000_000)
            assert server.app.refused["too_slow"] + server.app.refused["request_too_large"] == 1

    running(test)


def test_a_route_has_a_limit_of_its_own_and_a_handler_may_have_a_lower_one() -> None:
    async def strict(call: Call) -> None:
        await call.respond(200, [JSON], await call.body(limit=5))

    async def test() -> None:
        async with serving(route=Route(strict, body_bytes=10)) as server:
            client = await server.connect()
            for length, status in ((5, 200), (6, 413), (4, 200)):
                await client.send(POST + b"content-length: %d\r\n\r\n" % length + b"x" * length)
                assert (await client.answer())[0] == status
            assert (await server.exchanged(POST + b"content-length: 11\r\n\r\n")).startswith(b"HTTP/1.1 413 ")

    running(test)


# -- how many at a time ------------------------------------------------------------------------------------------------


def test_requests_beyond_the_bound_in_flight_are_told_to_come_again() -> None:
    async def test() -> None:
        leave = asyncio.Event()

        async def slow(call: Call) -> None:
            await leave.wait()
            await echo(call)

        async with serving(slow, requests=2) as server:
            clients = [await server.connect() for _ in range(3)]
            for client in clients[:2]:
                await client.send(POST + b"\r\n")
            await until(lambda: len(server.app.running) == 2)
            await clients[2].send(POST + b"\r\n")
            status, headers, body = await clients[2].answer()
            assert (status, headers["retry-after"]) == (503, "1")
            assert b'"code":"overloaded"' in body
            leave.set()
            for client in clients[:2]:
                assert (await client.answer())[0] == 200
            await clients[2].send(POST + b"\r\n")
            assert (await clients[2].answer())[0] == 200

    running(test)


def test_bytes_beyond_the_bound_in_flight_are_told_to_come_again() -> None:
    async def test() -> None:
        async with serving(bytes_in_flight=10_000) as server:
            holding = await server.connect()
            await holding.send(POST + b"content-length: 9000\r\n\r\n" + b"x" * 8000)
            await until(lambda: server.app.bytes_in_flight == 8000)
            answer = await server.exchanged(POST + b"content-length: 3000\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1\r\n" in answer
            chunked = POST + b"transfer-encoding: chunked\r\n\r\n800\r\n" + b"x" * 2048 + b"\r\n"
            assert (await server.exchanged(chunked)).startswith(b"HTTP/1.1 503 ")
            await holding.send(b"x" * 1000)
            assert (await holding.answer())[0] == 200
            await until(lambda: server.app.bytes_in_flight == 0)

    running(test)


def test_connections_beyond_the_bound_are_told_so() -> None:
    async def test() -> None:
        async with serving(connections=2) as server:
            held = [await server.connect() for _ in range(2)]
            await until(lambda: server.app.connections == 2)
            assert (await (await server.connect()).rest()).startswith(b"HTTP/1.1 503 ")
            await held[0].close()
            await until(lambda: server.app.connections == 1)
            client = await server.connect()
            await client.send(POST + b"\r\n")
            assert (await client.answer())[0] == 200

    running(test)


# -- readers and leavers -----------------------------------------------------------------------------------------------


def test_a_slow_reader_stops_the_writer() -> None:
    async def test() -> None:
        written = 0

        async def endless(call: Call) -> None:
            nonlocal written
            call.start_stream(200, [JSON])
            while written < ENOUGH:
                await call.write(b"x" * 10_000)
                written += 10_000
            await call.end_stream()

        async with serving(endless) as server:
            client = await server.connect(receive_buffer=4096)
            await client.send(POST + b"\r\n")
            connection = server.connection()
            await until(lambda: connection.flow.write_paused)
            before = written
            assert connection.transport.get_write_buffer_size() < 200_000
            assert before < 20_000_000
            await client.reader.read(100_000)
            (call,) = server.app.running
            await client.close()
            await until(lambda: call.gone)

    running(test)


@pytest.mark.parametrize("whole", [True, False], ids=["a whole answer", "a stream"])
def test_a_reader_that_reads_nothing_is_cut_off_in_time(whole: bool) -> None:
    async def test() -> None:
        ended: list[str] = []

        async def large(call: Call) -> None:
            try:
                if whole:
                    await call.respond(200, [JSON], b"x" * 20_000_000)
                else:
                    call.start_stream(200, [JSON])
                    while True:
                        await call.write(b"x" * 100_000)
            except Disconnected:
                ended.append("disconnected")
            else:
                ended.append("returned")

        async with serving(large, write_seconds=0.3) as server:
            client = await server.connect(receive_buffer=4096)
            await client.send(POST + b"\r\n")
            await server.left_nothing()
            assert ended == ["returned" if whole else "disconnected"]

    running(test)


def test_answers_are_not_heaped_up_for_a_pipeline_that_does_not_read() -> None:
    async def test() -> None:
        answered = 0

        async def large(call: Call) -> None:
            nonlocal answered
            answered += 1
            await call.respond(200, [JSON], b"x" * 3_000_000)

        async with serving(large, pipelined=100) as server:
            client = await server.connect(receive_buffer=4096)
            await client.send((POST + b"\r\n") * 50)
            connection = server.connection()
            await until(lambda: connection.flow.write_paused)
            assert answered < 10

    running(test)


@pytest.mark.parametrize("how", ["close", "half close", "reset"])
def test_a_client_that_goes_is_noticed_at_once(how: str) -> None:
    async def test() -> None:
        seen: list[str] = []

        async def waiting(call: Call) -> None:
            await call.disconnected
            assert call.gone
            seen.append("future")
            call.start_stream(200, [JSON])
            with pytest.raises(Disconnected):
                await call.write(b"x")

        async with serving(waiting) as server:
            client = await server.connect()
            await client.send(POST + b"\r\n")
            await until(lambda: len(server.app.running) == 1)
            if how == "half close":
                client.writer.write_eof()
            elif how == "reset":
                client.writer.transport.abort()
            else:
                await client.close()
            await until(lambda: seen == ["future"])

    running(test)


def test_a_handler_may_ask_to_be_cancelled_when_its_client_goes() -> None:
    async def test() -> None:
        ended: list[str] = []

        async def waiting(call: Call) -> None:
            call.cancel_on_disconnect = True
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

        async with serving(waiting) as server:
            client = await server.connect()
            await client.send(POST + b"\r\n")
            await until(lambda: len(server.app.running) == 1)
            await client.close()
            await until(lambda: ended == ["cancelled"])

    running(test)


def test_requests_that_waited_behind_a_client_that_left_are_not_begun() -> None:
    async def test() -> None:
        entered: list[bytes] = []

        async def waiting(call: Call) -> None:
            entered.append(await call.body())
            await call.disconnected

        async with serving(waiting) as server:
            client = await server.connect()
            await client.send((POST + b"content-length: 1\r\n\r\nx") * 3 + POST + b"content-length: 9\r\n\r\nx")
            await until(lambda: server.app.bytes_in_flight == 4)
            await client.close()
            await server.left_nothing()
            assert entered == [b"x"]

    running(test)


def test_an_upload_whose_client_leaves_or_stalls_ends_its_handler() -> None:
    async def test() -> None:
        ended: list[str] = []

        async def taking(call: Call) -> None:
            try:
                async for _ in call.pieces():
                    pass
            except Exception as error:
                ended.append(type(error).__name__)
                raise

        route = Route(taking, streamed_body=True)
        async with serving(route=route, progress_seconds=0.2, linger_seconds=0.1) as server:
            leaving = await server.connect()
            await leaving.send(POST + b"content-length: 100\r\n\r\nhalf")
            await until(lambda: len(server.app.running) == 1)
            await leaving.close()
            await until(lambda: ended == ["Disconnected"])
            stalling = await server.connect()
            await stalling.send(POST + b"content-length: 100\r\n\r\nhalf")
            assert (await stalling.rest()).startswith(b"HTTP/1.1 408 ")
            assert ended == ["Disconnected", "RequestRefused"]

    running(test)

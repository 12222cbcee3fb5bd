"""Requests as they should be: bodies of both framings, pipelining, old versions, HEAD, 100-continue, upgrades."""

from __future__ import annotations

import asyncio

import pytest

from dragoman.gateway.server.app import Route
from dragoman.gateway.server.call import Call
from dragoman.gateway.server.refusals import RequestRefused
from tests.gateway.serving import JSON, echo, running, serving, until

POST = b"POST / HTTP/1.1\r\nhost: here\r\n"


def post(body: bytes, *headers: bytes) -> bytes:
    lines = [b"content-length: %d" % len(body), *headers]
    return POST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def chunked(*pieces: bytes, trailer: bytes = b"") -> bytes:
    framed = b"".join(b"%x;note=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return POST + b"transfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n" + trailer + b"\r\n"


def test_a_body_with_a_length_and_one_in_chunks_are_read_on_one_connection() -> None:
    async def test() -> None:
        async with serving() as server:
            client = await server.connect()
            await client.send(post(b"one"))
            status, headers, body = await client.answer()
            assert (status, body, headers["content-type"]) == (200, b"one", "application/json")
            assert headers["date"].endswith("GMT")
            assert "server" not in headers
            await client.send(chunked(b"tw", b"o", trailer=b"x-late: 1\r\n"))
            assert (await client.answer())[2] == b"two"

    running(test)


def test_a_request_that_drips_byte_by_byte_is_the_same_request() -> None:
    async def test() -> None:
        async with serving() as server:
            client = await server.connect()
            for byte in chunked(b"drip", b"ping") + post(b"again"):
                await client.send(bytes([byte]))
            assert (await client.answer())[2] == b"dripping"
            assert (await client.answer())[2] == b"again"

    running(test)


def test_trailers_do_not_become_headers() -> None:
    async def fields(call: Call) -> None:
        await call.respond(200, [JSON], b",".join(call.fields))

    async def test() -> None:
        async with serving(fields) as server:
            client = await server.connect()
            await client.send(chunked(b"x", trailer=b"authorization: Bearer late\r\n"))
            assert (await client.answer())[2] == b"host,transfer-encoding"

    running(test)


def test_pipelined_requests_are_answered_in_order_whichever_is_done_first() -> None:
    async def test() -> None:
        entered: list[bytes] = []
        leave = asyncio.Event()

        async def slow(call: Call) -> None:
            body = await call.body()
            entered.append(body)
            if body == b"0":
                await leave.wait()
            await call.respond(200, [JSON], body)

        async with serving(slow) as server:
            client = await server.connect()
            await client.send(b"".join(post(b"%d" % number) for number in range(8)))
            await until(lambda: entered == [b"0"])
            leave.set()
            assert [(await client.answer())[2] for _ in range(8)] == [b"%d" % number for number in range(8)]

    running(test)


def test_more_pipelined_requests_than_are_taken_end_the_connection_after_their_answers() -> None:
    async def test() -> None:
        leave = asyncio.Event()

        async def slow(call: Call) -> None:
            await leave.wait()
            await echo(call)

        async with serving(slow, pipelined=3) as server:
            client = await server.connect()
            await client.send(post(b"a" * 10) * 20)
            await until(lambda: len(server.app.running) == 1)
            leave.set()
            answers = [await client.answer() for _ in range(5)]  # the first, three that wait, and the one too many
            assert [headers.get("connection") for _, headers, _ in answers] == [None] * 4 + ["close"]
            assert await client.rest() == b""

    running(test)


def test_the_client_of_a_pipeline_that_hangs_up_is_noticed_while_the_first_is_answered() -> None:
    async def test() -> None:
        gone = asyncio.Event()

        async def waiting(call: Call) -> None:
            await call.disconnected
            gone.set()

        async with serving(waiting, pipelined=2) as server:
            client = await server.connect()
            await client.send(post(b"a" * 1000) * 9)
            await until(lambda: len(server.app.running) == 1)
            await client.close()
            async with asyncio.timeout(5):
                await gone.wait()

    running(test)


def test_http_1_0_is_answered_and_closed_unless_it_asks_to_be_kept() -> None:
    async def test() -> None:
        async with serving() as server:
            answer = await server.exchanged(b"POST / HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi")
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer
            assert answer.endswith(b"hi")
            client = await server.connect()
            await client.send(b"POST / HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi")
            assert (await client.answer())[1]["connection"] == "keep-alive"

    running(test)


def test_a_stream_is_chunked_for_http_1_1_and_ends_with_the_connection_for_http_1_0() -> None:
    async def streamed(call: Call) -> None:
        call.start_stream(200, [JSON])
        for piece in (b"one", b"", b"two"):
            await call.write(piece)
        await call.end_stream()

    async def test() -> None:
        async with serving(streamed) as server:
            client = await server.connect()
            await client.send(POST + b"\r\n")
            assert (await client.answer())[2] == b"onetwo"
            answer = await server.exchanged(b"GET / HTTP/1.0\r\n\r\n")
            assert answer.endswith(b"\r\n\r\nonetwo")
            assert b"chunked" not in answer

    running(test)


def test_head_has_the_headers_of_get_and_no_body() -> None:
    async def test() -> None:
        async def ten(call: Call) -> None:
            await call.respond(200, [JSON], b"0123456789")

        async with serving(ten) as server:
            answer = await server.exchanged(b"HEAD / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
            assert b"content-length: 10\r\n" in answer
            assert answer.endswith(b"\r\n\r\n")

    running(test)


def test_continue_is_said_once_the_request_would_be_taken_and_not_before_a_refusal() -> None:
    async def test() -> None:
        async with serving(body_bytes=10) as server:
            client = await server.connect()
            await client.send(POST + b"expect: 100-continue\r\ncontent-length: 4\r\n\r\n")
            assert (await client.head())[0] == 100
            await client.send(b"body")
            assert (await client.answer())[2] == b"body"
            answer = await server.exchanged(POST + b"expect: 100-continue\r\ncontent-length: 11\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 413 ")
            answer = await server.exchanged(POST + b"expect: magic\r\ncontent-length: 1\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 417 ")

    running(test)


def test_continue_waits_for_the_answer_before_it() -> None:
    async def test() -> None:
        leave = asyncio.Event()

        async def slow(call: Call) -> None:
            await leave.wait()
            await echo(call)

        async with serving(slow) as server:
            client = await server.connect()
            await client.send(post(b"first") + POST + b"expect: 100-continue\r\ncontent-length: 6\r\n\r\n")
            await until(lambda: len(server.app.running) == 1)
            leave.set()
            assert (await client.answer())[2] == b"first"
            assert (await client.head())[0] == 100
            await client.send(b"second")
            assert (await client.answer())[2] == b"second"

    running(test)


@pytest.mark.parametrize("body", [b"", b"the body"], ids=["empty", "with a body"])
def test_an_offer_of_http_2_is_answered_in_http_1_1(body: bytes) -> None:
    async def test() -> None:
        offer = (b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAMAAABkAAQ")
        async with serving() as server:
            client = await server.connect()
            await client.send(post(body, *offer) + post(b"next"))
            assert (await client.answer())[2] == body
            assert (await client.answer())[2] == b"next"

    running(test)


def test_websockets_and_connect_are_refused() -> None:
    async def test() -> None:
        async with serving() as server:
            offer = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
            assert (await server.exchanged(offer + b"\x81\x05hello")).startswith(b"HTTP/1.1 501 ")
            refused = await server.exchanged(b"CONNECT there:443 HTTP/1.1\r\nhost: there:443\r\n\r\n\x16\x03\x01")
            assert refused.startswith(b"HTTP/1.1 405 ")

    running(test)


def test_paths_queries_and_the_absolute_form() -> None:
    async def named(call: Call) -> None:
        await call.respond(200, [JSON], f"{call.path} {call.raw_path} {call.query}".encode())

    async def test() -> None:
        async with serving() as server:
            server.app.add_prefix("GET", "/v1beta/models/", Route(named))
            server.app.add_prefix("*", "/v1beta/", Route(echo))
            client = await server.connect()
            await client.send(b"GET /v1beta/models/m%3Agenerate?alt=sse HTTP/1.1\r\nhost: here\r\n\r\n")
            assert (await client.answer())[2] == b"/v1beta/models/m:generate /v1beta/models/m%3Agenerate alt=sse"
            await client.send(b"GET http://HERE/v1beta/models/x HTTP/1.1\r\nhost: here\r\n\r\n")
            assert (await client.answer())[2] == b"/v1beta/models/x /v1beta/models/x "
            await client.send(b"PURGE /v1beta/other HTTP/1.1\r\nhost: here\r\n\r\n")
            assert (await client.answer())[0] == 200

    running(test)


def test_unknown_paths_and_methods_are_named_and_the_connection_goes_on() -> None:
    async def test() -> None:
        async with serving() as server:
            client = await server.connect()
            await client.send(b"POST /nowhere HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\n\r\nabc")
            status, headers, body = await client.answer()
            assert status == 404
            assert headers["content-type"] == "application/json"
            assert b'"code":"not_found"' in body
            await client.send(b"DELETE / HTTP/1.1\r\nhost: here\r\n\r\n")
            status, headers, _ = await client.answer()
            assert (status, headers["allow"]) == (405, "GET, POST")
            await client.send(post(b"still here"))
            assert (await client.answer())[2] == b"still here"

    running(test)


def test_a_check_refuses_before_the_body_is_sent() -> None:
    def nobody(call: Call) -> None:
        raise RequestRefused(401, "key", "no key was given")

    async def test() -> None:
        async with serving(route=Route(echo, check=nobody)) as server:
            client = await server.connect()
            await client.send(POST + b"content-length: 30000000\r\n\r\n")
            status, headers, _ = await client.answer()
            assert (status, headers["connection"]) == (401, "close")
            client = await server.connect()
            await client.send(post(b"small") * 2)
            assert [(await client.answer())[0] for _ in range(2)] == [401, 401]

    running(test)


def test_a_handler_that_fails_is_a_500_and_one_that_stops_midway_cuts_the_connection() -> None:
    async def fails(call: Call) -> None:
        if await call.body() == b"midway":
            call.start_stream(200, [JSON])
            await call.write(b"half")
        raise LookupError("a bug")

    async def test() -> None:
        async with serving(fails) as server:
            client = await server.connect()
            await client.send(post(b"at once"))
            status, headers, body = await client.answer()
            assert (status, headers["connection"]) == (500, "close")
            assert b"a bug" not in body
            assert not (await server.exchanged(post(b"midway"))).endswith(b"0\r\n\r\n")

    running(test)


def test_headers_of_an_answer_cannot_hold_line_breaks() -> None:
    async def splitting(call: Call) -> None:
        await call.respond(200, [(b"x-model", b"m\r\nset-cookie: a=b")], b"")

    async def test() -> None:
        async with serving(splitting) as server:
            answer = await server.exchanged(post(b""))
            assert answer.startswith(b"HTTP/1.1 500 ")
            assert b"set-cookie" not in answer

    running(test)


def test_an_upload_is_given_out_as_it_comes_and_waits_for_its_taker() -> None:
    async def test() -> None:
        take = asyncio.Event()
        sizes: list[int] = []

        async def counting(call: Call) -> None:
            async for piece in call.pieces():
                await take.wait()
                sizes.append(len(piece))
            await call.respond(200, [JSON], b"%d" % sum(sizes))

        route = Route(counting, streamed_body=True, body_bytes=1 << 30)
        async with serving(route=route) as server:
            client = await server.connect()
            total = 40_000_000
            sending = asyncio.create_task(client.send(post(b"x" * total)))
            await until(lambda: server.app.bytes_in_flight > 0)
            held = 0
            for _ in range(50):
                held = max(held, server.app.bytes_in_flight)
                await asyncio.sleep(0)
            assert held < 2_000_000
            take.set()
            assert (await client.answer())[2] == b"%d" % total
            await sending
            await client.send(post(b"next"))
            assert (await client.answer())[0] == 200

    running(test)

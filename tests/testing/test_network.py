"""The guard against the network: what it stops, what it lets pass, and that it goes away."""

from __future__ import annotations

import socket
import threading

import pytest

import dragoman
from dragoman.testing import FakeProvider, NetworkForbidden, no_network

OUTSIDE = "192.0.2.1"  # reserved for documents: nobody answers there


def test_connections_beyond_this_machine_are_refused_with_the_address() -> None:
    with no_network():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as held:
                with pytest.raises(NetworkForbidden, match=OUTSIDE) as caught:
                    held.connect((OUTSIDE, 80))
                assert caught.value.address == OUTSIDE
                with pytest.raises(NetworkForbidden):
                    held.connect_ex((OUTSIDE, 80))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held, pytest.raises(NetworkForbidden):
            held.sendto(b"x", (OUTSIDE, 53))
        with pytest.raises(NetworkForbidden, match=r"Resolving 'example\.org'"):
            socket.create_connection(("example.org", 80))


def test_models_are_held_sync_and_from_other_threads() -> None:
    with no_network():
        for address in ("https://example.org/v1", f"http://{OUTSIDE}/v1"):
            model = dragoman.get_model("openai_compatible/m", base_url=address, api_key="k", max_retries=0)
            with pytest.raises(NetworkForbidden):
                model.chat("Hi")
            caught: list[BaseException] = []

            def ask(model: dragoman.ChatModel = model, caught: list[BaseException] = caught) -> None:
                try:
                    list(model.stream("Hi"))
                except NetworkForbidden as error:
                    caught.append(error)

            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
            assert caught


def test_this_machine_and_allowed_hosts_pass(no_network: None) -> None:
    from dragoman.testing import network

    with FakeProvider() as fake:
        assert fake.model().chat("Say: here").content == "here"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"x")
    with network.no_network(allow=[OUTSIDE]), socket.socket() as held:
        held.setblocking(False)
        assert held.connect_ex((OUTSIDE, 9)) != 0  # it is tried: the operating system answers, and not the guard
    with pytest.raises(NetworkForbidden), socket.socket() as held:
        held.connect((OUTSIDE, 9))


def test_it_leaves_everything_as_it_was() -> None:
    resolve = socket.getaddrinfo
    with no_network(), no_network():
        assert socket.getaddrinfo is not resolve
        assert "connect" in vars(socket.socket)
    assert socket.getaddrinfo is resolve
    assert not {"connect", "connect_ex", "sendto"} & set(vars(socket.socket))

"""Servers that are no RabbitMQ, or none at all: told in time, with a reason, and no thread or socket is left behind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from patterns.connection import RabbitTransport
from patterns.errors import BrokerUnavailable, ConnectionLost

SOON = 30.0


@contextmanager
def server(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that accepts one connection and treats it so; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            answer(client)
            over.wait(SOON)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"amqp://ada:secret@127.0.0.1:{listener.getsockname()[1]}/shop"
    over.set()
    thread.join()
    listener.close()


def refusal(url: str, connect_timeout: float = SOON) -> str:
    """What is said of a failed attempt to connect."""
    with pytest.raises(BrokerUnavailable) as caught:
        RabbitTransport(url, connect_timeout=connect_timeout).connect("test")
    assert not isinstance(caught.value, ConnectionLost)
    assert "secret" not in str(caught.value)
    ours = [thread for thread in threading.enumerate() if thread.name == "amqp:test"]
    for thread in ours:
        thread.join(SOON)
        assert not thread.is_alive()
    return str(caught.value)


def hang_up(client: socket.socket) -> None:
    client.recv(8)
    client.shutdown(socket.SHUT_RDWR)


def talk_http(client: socket.socket) -> None:
    client.recv(8)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    client.shutdown(socket.SHUT_RDWR)


def say_nothing(client: socket.socket) -> None:
    client.recv(8)


def test_nobody_listens() -> None:
    with socket.socket() as bound:  # bound, not listening: this port is refused, and nobody else gets it meanwhile
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        said = refusal(f"amqp://ada:secret@127.0.0.1:{port}/shop")
    assert f"127.0.0.1:{port}, virtual host shop" in said
    assert "Connection refused" in said


def test_nobody_has_this_name() -> None:
    assert "no-such-host.invalid:5672" in refusal("amqp://ada:secret@no-such-host.invalid/")


def test_a_server_that_says_nothing_is_given_up() -> None:
    with server(say_nothing) as url:
        assert "said nothing" in refusal(url, connect_timeout=0.2)


@pytest.mark.parametrize("answer", [hang_up, talk_http])
def test_a_server_that_is_something_else_is_given_up(answer: Callable[[socket.socket], object]) -> None:
    with server(answer) as url:
        assert "is it a RabbitMQ" in refusal(url)


def test_a_node_that_is_away_is_passed_over_and_all_are_named_when_none_answers() -> None:
    with server(talk_http) as one, server(hang_up) as two, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"amqp://ada:secret@127.0.0.1:{bound.getsockname()[1]}/shop"
        said = refusal(",".join((nobody, one, two)))
    assert said.count("is it a RabbitMQ") == 2
    assert said.count("Connection refused") == 1

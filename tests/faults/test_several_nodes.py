"""RABBITMQ_URL with several nodes in it."""

from __future__ import annotations

import socket

import pytest

from lab.faults.proxy import Proxy
from patterns.connection import RabbitTransport

pytestmark = pytest.mark.real


def test_of_several_nodes_those_that_answer_are_used_in_turn(rabbitmq_url: str) -> None:
    with Proxy(rabbitmq_url) as one, Proxy(rabbitmq_url) as two, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"amqp://ada:secret@127.0.0.1:{bound.getsockname()[1]}/shop"
        transport = RabbitTransport(",".join((nobody, one.url, two.url)))
        connections = [transport.connect("test") for _ in range(3)]
        assert (one.connections, two.connections) == (2, 1), "who would have gone to nobody goes to the next"
        for connection in connections:
            connection.channel().declare_queue("anything")
            connection.close()

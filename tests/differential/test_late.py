"""A machine that has much else to do makes RabbitMQ late, not wrong."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.differential.real import RealSide
from lab.differential.sides import Call
from lab.servers import PrivateRabbitMQ
from patterns.amqp import Outgoing, Receipt
from patterns.connection import RabbitConnection

SAY = Call(0, "publish", ([Outgoing("", "late", b"m")],))


@pytest.fixture
def side(private_rabbitmq: PrivateRabbitMQ) -> Iterator[RealSide]:
    side = RealSide(private_rabbitmq.url(private_rabbitmq.fresh_vhost()))
    side.perform(Call(0, "declare_queue", ("late",)))
    yield side
    side.close()


def test_a_confirm_that_is_late_is_waited_for(
    side: RealSide, private_rabbitmq: PrivateRabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    private_rabbitmq.pause()
    with monkeypatch.context() as hurried:
        hurried.setattr("lab.differential.sides.CONFIRMED_WITHIN", 0.1)
        assert side.perform(SAY) == [Receipt.UNKNOWN]
    with ThreadPoolExecutor(1) as thread:
        told = thread.submit(side.perform, SAY)
        private_rabbitmq.resume()
        assert told.result() == [Receipt.CONFIRMED]


def test_no_heartbeat_ends_a_connection(side: RealSide) -> None:
    for connection in side.connections:
        assert isinstance(connection, RabbitConnection)
        assert connection.facts.heartbeat == 0

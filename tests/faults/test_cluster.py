"""Three nodes, each killed once: what was confirmed is still there, and whoever is connected goes on with another node."""

from __future__ import annotations

import pytest

from lab.servers import PrivateCluster
from patterns.amqp import Outgoing, Receipt
from patterns.connection import RabbitTransport
from patterns.errors import BrokerUnavailable, ServerUnavailable
from tests.flows.words import until
from tests.servers import Unavailable

pytestmark = [pytest.mark.real, pytest.mark.whole, pytest.mark.timeout(900)]

QUEUES = [f"queue.{number}" for number in range(6)]


def test_each_node_may_be_killed_and_nothing_confirmed_is_lost() -> None:
    try:
        opened = PrivateCluster(fsync=False)
        with opened as cluster:
            kill_each_node(cluster)
    except ServerUnavailable as error:
        if opened.nodes:
            raise
        Unavailable(error).miss()


def kill_each_node(cluster: PrivateCluster) -> None:
    vhost = cluster.some_node.fresh_vhost()
    transport = RabbitTransport(cluster.url(vhost))
    connection = transport.connect("test")
    for queue in QUEUES:
        connection.channel().declare_queue(queue, arguments={"x-queue-type": "quorum"})
    connection.close()
    confirmed: list[bytes] = []

    def say(queue: str, body: bytes) -> bool:
        try:
            connection = transport.connect("test")
        except BrokerUnavailable:
            return False
        try:
            [receipt] = connection.channel().publish([Outgoing("", queue, body)])
            return receipt is Receipt.CONFIRMED
        except BrokerUnavailable:
            return False
        finally:
            connection.close()

    def say_everywhere(when: str) -> None:
        for queue in QUEUES:
            body = f"{queue} {when}".encode()
            until(lambda queue=queue, body=body: say(queue, body), f"{queue} takes a message {when}")  # type: ignore[misc]
            confirmed.append(body)

    for number in range(len(cluster.nodes)):
        say_everywhere(f"before {number}")
        cluster.kill(number)
        assert len(cluster.running()) == 2
        say_everywhere(f"without {number}")
        cluster.bring_back(number)
    connection = transport.connect("test")
    channel = connection.channel()
    found = []
    for queue in QUEUES:
        while (delivery := channel.get(queue, auto_ack=True)) is not None:
            found.append(delivery.body)
    connection.close()
    assert set(found) == set(confirmed)

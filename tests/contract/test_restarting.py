"""What a crash of the broker leaves; one crash serves all cases, because a RabbitMQ takes seconds to come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from patterns.amqp import DIRECT_REPLY_TO, Outgoing, Properties, Receipt
from patterns.errors import ChannelClosed, ConnectionLost
from tests.contract.brokers import Broker
from tests.contract.client import Client, Names, closes, tag


@dataclass
class Before:
    """What was there before the crash, by name."""

    client: Client
    queues: dict[str, str]
    bound: str
    fleeting_exchange: str
    reply_to: str


@pytest.fixture(scope="module")
def before(broker: Broker, names: Names) -> Iterator[Before]:
    """Make everything, then crash the broker once."""
    if not broker.may_restart:
        pytest.skip("this RabbitMQ is not ours to restart; CONFORMANCE_RABBITMQ_RESTART may name a command for it")
    client, holder = Client(broker.transport, names), Client(broker.transport, names, "holder")
    queues = {
        "durable": client.queue(), "quorum": client.queue("quorum", delivery_limit=20),
        "transient": client.queue(durable=False), "exclusive": client.queue(exclusive=True),
        "auto-delete": client.queue(auto_delete=True), "held": client.queue(),
        "held quorum": client.queue("quorum", delivery_limit=20), "settled": client.queue(),
        "questions": client.queue(durable=False), "ttl": client.queue(message_ttl=600_000),
    }
    bound, fleeting = client.exchange("topic"), names.fresh("fleeting")
    client.channel.bind(queues["durable"], bound, "order.*")
    client.channel.bind(queues["transient"], bound, "order.*")
    client.channel.declare_exchange(fleeting, "fanout", durable=False)
    for name in ("durable", "quorum", "ttl"):
        client.said(queues[name], "persistent", message_id="7", headers={"a": [1]})
        client.said(queues[name], "transient", persistent=False)
    for name in ("transient", "exclusive", "auto-delete"):
        client.said(queues[name], "m")
    for name in ("held", "held quorum"):
        client.said(queues[name], "held", "waiting")
        holder.get(queues[name])
    client.said(queues["settled"], *"abc")
    for _ in range(2):
        client.channel.ack(tag(client.get(queues["settled"])))
    client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    client.said(queues["questions"], "question", reply_to=DIRECT_REPLY_TO)
    question = client.get(queues["questions"])
    client.channel.ack(tag(question))
    client.channel.qos(1)  # an answer: what was acknowledged before has arrived
    broker.restart()
    yield Before(client, queues, bound, fleeting, question.properties.reply_to or "")
    client.close()
    holder.close()


def test_connections_of_before_are_lost(before: Before) -> None:
    with pytest.raises(ConnectionLost):
        before.client.channel.take(1, 10)
    with pytest.raises(ConnectionLost):
        before.client.say(before.queues["durable"], "m")
    assert not before.client.connection.is_open


def test_persistent_messages_in_durable_queues_survive(before: Before, client: Client) -> None:
    for name in ("durable", "ttl"):
        queue = before.queues[name]
        found = client.get(queue)
        assert (found.body, found.properties) == (b"persistent", Properties(message_id="7", headers={"a": [1]}))
        assert client.channel.get(queue) is None


def test_quorum_queues_keep_everything(before: Before, client: Client) -> None:
    queue = before.queues["quorum"]
    first, second = client.get(queue), client.get(queue)
    assert (first.body, first.properties.message_id, first.properties.headers["a"]) == (b"persistent", "7", [1])
    assert (second.body, second.properties.persistent) == (b"transient", False)


@pytest.mark.parametrize("name", ["transient", "exclusive"])
def test_fleeting_queues_are_gone(before: Before, client: Client, name: str) -> None:
    assert client.say(before.queues[name], "m") == [Receipt.RETURNED]
    with closes(client, 404):
        client.count(before.queues[name])


def test_an_auto_delete_queue_survives_if_it_is_durable(before: Before, client: Client) -> None:
    assert client.drain(before.queues["auto-delete"]) == ["m"]


@pytest.mark.parametrize("name", ["held", "held quorum"])
def test_what_somebody_held_is_back(before: Before, client: Client, name: str) -> None:
    queue = before.queues[name]
    found = {each.body: each.redelivered for each in (client.get(queue), client.get(queue))}
    assert set(found) == {b"held", b"waiting"}
    if name == "held quorum":  # of a classic queue RabbitMQ may have forgotten who had seen what
        assert found[b"held"]


def test_what_was_not_settled_is_there_and_what_was_may_be(before: Before, client: Client) -> None:
    # Nobody confirms an ack: a RabbitMQ that crashes forgets the last ones, and delivers those messages again.
    found = [client.get(before.queues["settled"])]
    while (more := client.channel.get(before.queues["settled"])) is not None:
        found.append(more)
    bodies = [each.body for each in found]
    assert bodies in ([b"c"], [b"b", b"c"], [b"a", b"b", b"c"])


def test_durable_exchanges_and_bindings_survive(before: Before, client: Client) -> None:
    client.said("order.placed", "routed", exchange=before.bound)
    assert "routed" in client.drain(before.queues["durable"])
    assert client.say("other", "m", exchange=before.bound) == [Receipt.RETURNED]


def test_other_exchanges_are_gone(before: Before, client: Client) -> None:
    with closes(client, 404):
        client.channel.declare_exchange(before.fleeting_exchange, "fanout", passive=True)


def test_the_declarations_are_what_they_were(before: Before, client: Client) -> None:
    client.channel.declare_queue(before.queues["ttl"], arguments={"x-queue-type": "classic", "x-message-ttl": 600_000})
    with closes(client, 406):
        client.channel.declare_queue(before.queues["ttl"])


def test_a_question_of_before_has_no_asker(before: Before, client: Client) -> None:
    try:
        assert client.channel.publish([Outgoing("", before.reply_to, b"answer")]) == [Receipt.RETURNED]
    except ChannelClosed:  # pragma: no cover
        pytest.fail("answering somebody who is gone is no mistake")


def test_everything_works_as_before(before: Before, client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "m")
    assert client.drain(queue) == ["m"]

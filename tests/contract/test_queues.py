"""Queues: how they are made, checked, shared and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from patterns.amqp import QueueInfo, Receipt
from patterns.errors import ConnectionLost
from tests.contract.client import Client, closes, ended, eventually, tag

LONG_ENOUGH = 1_500
"""Milliseconds: a queue that lives so long unused is there until somebody consumes it, on a busy machine too."""


def test_declaring_again_changes_nothing_and_tells_how_it_is(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "a", "b")
    other.channel.qos(1)
    other.channel.consume(queue)
    other.hear(1)
    for options in ({"passive": True}, {"arguments": {"x-queue-type": kind}}):
        assert client.channel.declare_queue(queue, **options) == QueueInfo(queue, 1, 1)


def test_the_broker_names_a_queue_without_a_name(client: Client) -> None:
    one, two = (client.channel.declare_queue("", durable=False, exclusive=True) for _ in range(2))
    assert one.name.startswith("amq.gen-")
    assert one.name != two.name
    client.said(one.name, "m")
    assert client.drain(one.name) == ["m"]


@pytest.mark.parametrize("again", [
    {"durable": False}, {"auto_delete": True}, {"arguments": {"x-message-ttl": 5}},
    {"arguments": {"x-queue-type": "quorum"}},
])
def test_a_queue_cannot_be_declared_differently(client: Client, again: dict[str, Any]) -> None:
    queue = client.queue()
    with closes(client, 406):
        client.channel.declare_queue(queue, **again)
    client.said(queue, "it is as it was")


@pytest.mark.parametrize("again", [
    {"kind": "fanout"}, {"durable": False}, {"auto_delete": True}, {"arguments": {"alternate-exchange": "amq.fanout"}},
])
def test_an_exchange_cannot_be_declared_differently(client: Client, again: dict[str, Any]) -> None:
    exchange = client.exchange("direct")
    client.channel.declare_exchange(exchange, "direct")
    with closes(client, 406):
        client.channel.declare_exchange(**({"name": exchange, "kind": "direct"} | again))


def test_what_is_not_there_is_404(client: Client) -> None:
    nothing = client.fresh("nothing")
    queue = client.queue()
    for use in (
        lambda: client.channel.declare_queue(nothing, passive=True),
        lambda: client.channel.declare_exchange(nothing, "direct", passive=True),
        lambda: client.channel.bind(queue, nothing, "k"),
        lambda: client.channel.bind(nothing, "amq.direct", "k"),
        lambda: client.channel.consume(nothing),
        lambda: client.channel.get(nothing),
        lambda: client.channel.purge(nothing),
    ):
        with closes(client, 404):
            use()


def test_a_pipeline_declares_in_order_and_its_end_says_that_all_is_there(client: Client, other: Client) -> None:
    exchange, queue = client.exchange("topic"), client.queue("quorum")
    new_exchange, new_queue = f"{exchange}.new", f"{queue}.new"
    for _ in range(2):  # declaring again changes nothing
        with client.channel.pipeline() as declares:
            declares.declare_exchange(new_exchange, "fanout")
            declares.declare_queue(new_queue, arguments={"x-queue-type": "quorum"})
            declares.bind(new_queue, new_exchange)
            declares.bind(new_queue, exchange, "a.#")
    for key, through in (("", new_exchange), ("a.b", exchange)):
        assert other.say(key, "m", exchange=through) == [Receipt.CONFIRMED]
    other.until_count(new_queue, 2)
    other.channel.delete_queue(new_queue)
    other.channel.delete_exchange(new_exchange)


def test_a_mistake_in_a_pipeline_closes_the_channel_and_is_told(client: Client) -> None:
    queue = client.queue("classic")
    with closes(client, 406), client.channel.pipeline() as declares:
        declares.declare_queue(queue, arguments={"x-queue-type": "quorum"})
        declares.declare_queue(queue)
    with closes(client, 404), client.channel.pipeline() as declares:
        declares.bind(queue, client.fresh("nothing"), "k")
    with client.channel.pipeline():
        pass
    assert client.channel.is_open


def test_deleting_tells_how_many_messages_went(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "a", "b", "c")
    client.until_count(queue, 3)
    assert client.channel.delete_queue(queue) == 3
    with closes(client, 404):
        client.count(queue)
    assert client.channel.delete_queue(queue) == 0


def test_only_an_empty_unused_queue_may_be_deleted_so(client: Client) -> None:
    queue = client.queue()
    client.said(queue, "m")
    client.until_count(queue, 1)
    with closes(client, 406):
        client.channel.delete_queue(queue, if_empty=True)
    client.drain(queue)
    client.channel.consume(queue)
    with closes(client, 406):
        client.channel.delete_queue(queue, if_unused=True)
    eventually(lambda: client.channel.declare_queue(queue, passive=True).consumers == 0, lambda: "still consumed")
    assert client.channel.delete_queue(queue, if_unused=True, if_empty=True) == 0


@pytest.mark.parametrize("condition", ["if_empty", "if_unused"])
def test_a_quorum_queue_is_deleted_without_conditions_or_not_at_all(client: Client, other: Client, condition: str) -> None:
    queue = client.queue("quorum")
    with pytest.raises(ConnectionLost, match="540 NOT_IMPLEMENTED"):
        other.channel.delete_queue(queue, **{condition: True})
    assert not other.connection.is_open
    assert client.count(queue) == 0, "it is still there"


def test_purging_throws_away_what_is_ready(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "a", "b", "c")
    held = client.get(queue)
    client.until_count(queue, 2)
    assert client.channel.purge(queue) == 2
    client.channel.reject(tag(held), requeue=True)
    client.until_count(queue, 1)
    assert client.drain(queue) == ["a"]


def test_a_deleted_queues_bindings_are_gone(client: Client) -> None:
    exchange, queue = client.exchange("fanout"), client.queue()
    client.channel.bind(queue, exchange)
    client.channel.delete_queue(queue)
    client.channel.declare_queue(queue)
    assert client.say("", "m", exchange=exchange) == [Receipt.RETURNED]


def test_what_somebody_holds_of_a_deleted_queue_is_nobodys(client: Client) -> None:
    queue = client.queue()
    client.said(queue, "m")
    found = client.get(queue)
    client.channel.delete_queue(queue)
    client.channel.declare_queue(queue)
    client.channel.reject(tag(found), requeue=True)
    client.channel.qos(1)
    assert client.count(queue) == 0


def test_an_exclusive_queue_is_its_connections_own(client: Client, other: Client, connect: Callable[..., Client]) -> None:
    queue = client.queue(durable=False, exclusive=True)
    client.connection.channel().declare_queue(queue, passive=True)  # another channel of the same connection may
    for use in (
        lambda: other.channel.declare_queue(queue, passive=True),
        lambda: other.channel.declare_queue(queue, durable=False, exclusive=True),
        lambda: other.channel.consume(queue),
        lambda: other.channel.get(queue),
        lambda: other.channel.purge(queue),
        lambda: other.channel.delete_queue(queue),
        lambda: other.channel.bind(queue, "amq.direct", "k"),
    ):
        with closes(other, 405):
            use()
    other.said(queue, "may be said by everybody")
    client.connection.close()
    third = connect("third")
    eventually(lambda: is_gone(third, queue), lambda: "the exclusive queue outlives its connection")


def is_gone(client: Client, queue: str) -> bool:
    return client.say(queue, "anybody there?") == [Receipt.RETURNED]


def test_an_auto_delete_queue_goes_with_its_last_consumer(client: Client, other: Client) -> None:
    queue = client.queue(auto_delete=True)
    client.said(queue, "m")
    client.until_count(queue, 1)  # nobody consumed yet, so it stays
    consumer = client.channel.consume(queue)
    other.channel.consume(queue)
    client.channel.cancel(consumer)
    client.count(queue)
    other.connection.close()
    eventually(lambda: is_gone(client, queue), lambda: "the auto-delete queue is still there")


def test_an_exclusive_consumer_wants_the_queue_for_itself(client: Client, other: Client) -> None:
    queue = client.queue()
    consumer = client.channel.consume(queue, exclusive=True)
    for exclusive in (True, False):
        with closes(other, 403):
            other.channel.consume(queue, exclusive=exclusive)
    client.channel.cancel(consumer)
    other.channel.consume(queue)
    with closes(client, 403):
        client.channel.consume(queue, exclusive=True)


def test_a_quorum_queue_does_not_mind_an_exclusive_consumer(client: Client, other: Client) -> None:
    queue = client.queue("quorum")
    client.channel.consume(queue, exclusive=True)
    other.channel.consume(queue)
    client.channel.consume(queue, exclusive=True)


def test_what_is_missing_is_told_before_whose_the_queue_is(client: Client, other: Client) -> None:
    queue, nothing = client.queue(exclusive=True, durable=False), client.fresh("nothing")
    with closes(other, 404):
        other.channel.bind(queue, nothing, "k")
    with closes(other, 405):
        other.channel.bind(queue, "amq.direct", "k")
    other.channel.unbind(queue, "amq.direct", "k")  # nothing is bound so
    client.channel.bind(queue, "amq.direct", "k")
    with closes(other, 405):
        other.channel.unbind(queue, "amq.direct", "k")


def test_an_unused_queue_expires(client: Client, other: Client) -> None:
    # Asked by publishing: looking at a queue would count as using it.
    queue, used = client.queue(expires=LONG_ENOUGH), client.queue(expires=LONG_ENOUGH)
    client.channel.consume(used)
    consumer = client.channel.consume(queue)
    client.channel.cancel(consumer)
    eventually(lambda: is_gone(other, queue), lambda: "the unused queue is still there")
    assert not is_gone(other, used)


@pytest.mark.parametrize(("kind", "wrong"), [
    ("classic", {"message_ttl": -1}), ("classic", {"message_ttl": "5"}), ("classic", {"expires": 0}),
    ("classic", {"max_length": -1}), ("classic", {"overflow": "spill"}), ("classic", {"dead_letter_routing_key": "k"}),
    ("classic", {"message_ttl": 315_360_000_001}),
    ("quorum", {"dead_letter_strategy": "perhaps"}), ("no such type", {}),
])
def test_arguments_that_make_no_sense_are_refused(client: Client, kind: str, wrong: dict[str, Any]) -> None:
    with closes(client, 406):
        client.queue(kind, **wrong)


@pytest.mark.parametrize("options", [{"durable": False}, {"exclusive": True}, {"auto_delete": True}])
def test_a_quorum_queue_is_durable_and_shared(client: Client, options: dict[str, bool]) -> None:
    with closes(client, 406):
        client.queue("quorum", **options)


def test_a_channels_end_is_not_its_connections(client: Client) -> None:
    second = client.connection.channel()
    queue = client.queue()
    client.channel.ack(1)
    assert ended(client.channel).code == 406
    second.declare_queue(queue, passive=True)
    assert client.connection.is_open
    second.close()
    second.close()
    assert not second.is_open
    client.again().declare_queue(queue, passive=True)


def test_a_connections_end_is_its_channels(client: Client) -> None:
    second = client.connection.channel()
    client.connection.close()
    client.connection.close()
    assert not (client.connection.is_open or client.channel.is_open or second.is_open)


def test_an_auto_delete_queue_goes_with_what_its_last_consumers_channel_held(client: Client, other: Client) -> None:
    dead = client.queue()
    queue = client.queue(auto_delete=True, message_ttl=0, dead_letter_exchange="", dead_letter_routing_key=dead)
    other.channel.consume(queue)
    client.said(queue, "m")
    assert other.heard(1) == ["m"]
    other.channel.close()
    with closes(client, 404):
        while True:
            client.count(queue)
    assert client.count(dead) == 0  # it was not requeued, to expire there

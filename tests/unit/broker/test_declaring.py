from __future__ import annotations

from typing import Any

import pytest

from patterns.broker.effects import CancelNotice, ChannelEnded
from patterns.errors import ConnectionLost
from tests.unit.broker.bench import Bench, refused


def test_declaring_a_queue_again_changes_nothing(bench: Bench) -> None:
    bench.queue("q", kind="quorum", delivery_limit=3)
    bench.publish("q")
    bench.queue("q", kind="quorum", delivery_limit=3)
    assert bench.ready("q") == ["m"]


@pytest.mark.parametrize(("first", "second", "words"), [
    ({}, {"durable": False}, "'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'"),
    ({}, {"auto_delete": True}, "'auto_delete'"),
    ({}, {"message_ttl": 5}, "'x-message-ttl'"),
    ({"message_ttl": 5}, {"message_ttl": 6}, "received '6' but current is '5'"),
    ({"message_ttl": 5}, {}, "'x-message-ttl'"),
    ({}, {"kind": "quorum"}, "'x-queue-type'"),
])
def test_another_declaration_of_the_same_queue_is_refused(
    bench: Bench, first: dict[str, Any], second: dict[str, Any], words: str
) -> None:
    bench.queue("q", **first)
    with refused(406, words):
        bench.queue("q", **second)


def test_classic_said_or_unsaid_is_the_same(bench: Bench) -> None:
    bench.queue("q")
    bench.queue("q", queue_type="classic")


@pytest.mark.parametrize("options", [
    {"kind": "quorum", "durable": False}, {"kind": "quorum", "exclusive": True}, {"kind": "quorum", "auto_delete": True},
    {"delivery_limit": 3}, {"dead_letter_strategy": "at-least-once"}, {"dead_letter_routing_key": "k"},
    {"message_ttl": -1}, {"message_ttl": "1"}, {"message_ttl": True}, {"expires": 0}, {"max_length": -1},
    {"overflow": "?"}, {"queue_type": "stream"}, {"kind": "quorum", "dead_letter_strategy": "?"},
    {"dead_letter_exchange": 5}, {"max_priority": 5}, {"message_ttl": 315_360_000_001},
])
def test_arguments_that_make_no_sense_are_refused(bench: Bench, options: dict[str, Any]) -> None:
    with refused(406, "invalid"):
        bench.queue("q", **options)
    assert "q" not in bench.machine.queues


def test_a_missing_queue_cannot_be_checked_read_purged_or_bound(bench: Bench) -> None:
    for use in (
        lambda channel: bench.machine.declare_queue(channel, "none", 0.0, passive=True),
        lambda channel: bench.machine.consume(channel, "none", 0.0),
        lambda channel: bench.machine.get(channel, "none", 0.0),
        lambda channel: bench.machine.purge(channel, "none", 0.0),
        lambda channel: bench.machine.bind(channel, "none", "amq.topic", "k", 0.0),
    ):
        with refused(404, "no queue 'none'"):
            use(bench.another())


def test_deleting_what_is_not_there_is_fine(bench: Bench) -> None:
    assert bench.machine.delete_queue(bench.channel, "none", 0.0) == 0
    bench.machine.delete_exchange(bench.channel, "none", 0.0)


def test_an_exclusive_queue_belongs_to_its_connection(bench: Bench) -> None:
    bench.queue("mine", exclusive=True)
    sibling = bench.machine.open_channel(bench.connection)
    assert bench.machine.declare_queue(sibling, "mine", 0.0, passive=True).name == "mine"
    for use in (
        lambda channel: bench.machine.declare_queue(channel, "mine", 0.0, passive=True),
        lambda channel: bench.machine.declare_queue(channel, "mine", 0.0, exclusive=True),
        lambda channel: bench.machine.consume(channel, "mine", 0.0),
        lambda channel: bench.machine.delete_queue(channel, "mine", 0.0),
    ):
        with refused(405, "exclusive access"):
            use(bench.another())
    with refused(405):
        bench.queue("mine")  # our own, but not exclusively
    bench.machine.disconnect(bench.connection, 0.0)
    assert "mine" not in bench.machine.queues


def test_a_server_named_queue_is_told_and_new_each_time(bench: Bench) -> None:
    names = {bench.queue("", exclusive=True) for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("amq.gen-") for name in names)


@pytest.mark.parametrize("name", ["amq.mine"])
def test_reserved_names_are_refused(bench: Bench, name: str) -> None:
    with refused(403, "reserved prefix"):
        bench.machine.declare_queue(bench.another(), name, 0.0)
    with refused(403, "reserved prefix"):
        bench.machine.declare_exchange(bench.another(), name, "topic", 0.0)
    with refused(403, "system exchange"):
        bench.machine.delete_exchange(bench.another(), "amq.topic", 0.0)


def test_the_default_exchange_cannot_be_touched(bench: Bench) -> None:
    bench.queue("q")
    for use in (
        lambda channel: bench.machine.declare_exchange(channel, "", "direct", 0.0),
        lambda channel: bench.machine.delete_exchange(channel, "", 0.0),
        lambda channel: bench.machine.bind(channel, "q", "", "k", 0.0),
        lambda channel: bench.machine.unbind(channel, "q", "", "q", 0.0),
    ):
        with refused(403, "default exchange"):
            use(bench.another())


def test_another_declaration_of_the_same_exchange_is_refused(bench: Bench) -> None:
    bench.exchange("x", "topic")
    bench.exchange("x", "topic")
    others: list[dict[str, Any]] = [
        {"kind": "fanout"}, {"durable": False}, {"auto_delete": True}, {"arguments": {"alternate-exchange": "y"}},
    ]
    for options in others:
        with refused(406, "inequivalent"):
            bench.machine.declare_exchange(bench.another(), "x", **{"kind": "topic", "now": 0.0, **options})


def test_an_unknown_kind_of_exchange_costs_the_connection(bench: Bench) -> None:
    bench.queue("mine", exclusive=True)
    with pytest.raises(ConnectionLost, match="unknown exchange type"):
        bench.exchange("x", "x-delayed-message")
    assert bench.machine.connections == {}
    assert "mine" not in bench.machine.queues


def test_if_unused_and_if_empty_protect(bench: Bench) -> None:
    bench.queue("q")
    bench.exchange("x", "fanout")
    bench.bind("q", "x")
    bench.consume("q", auto_ack=False)
    with refused(406, "in use"):
        bench.machine.delete_queue(bench.another(), "q", 0.0, if_unused=True)
    with refused(406, "in use"):
        bench.machine.delete_exchange(bench.another(), "x", 0.0, if_unused=True)
    bench.queue("full")
    bench.publish("full")
    with refused(406, "not empty"):
        bench.machine.delete_queue(bench.another(), "full", 0.0, if_empty=True)
    assert bench.machine.delete_queue(bench.channel, "full", 0.0) == 1


def test_purge_spares_what_is_in_flight(bench: Bench) -> None:
    bench.queue("q")
    for body in "abc":
        bench.publish("q", body)
    bench.consume("q", prefetch=1)
    assert bench.machine.purge(bench.channel, "q", 0.0) == 2
    [delivery] = bench.deliveries()
    bench.nack(delivery.tag)
    assert bench.bodies() == ["a"]


def test_deleting_a_queue_tells_its_consumers_and_its_bindings_go(bench: Bench) -> None:
    bench.queue("q")
    bench.exchange("x", "topic")
    bench.bind("q", "x", "k")
    tag = bench.consume("q")
    bench.publish("q", "held")
    [held] = bench.deliveries()
    bench.machine.delete_queue(bench.another(), "q", 0.0)
    assert bench.effects(CancelNotice) == [CancelNotice(bench.channel, tag, "q")]
    assert bench.publish("k", "m", "x", mandatory=True) == "returned"
    bench.queue("q")
    bench.ack(held.tag)  # known still, though its queue is gone
    bench.machine.close_channel(bench.channel, 0.0)
    assert bench.ready("q") == []


def test_a_client_that_errs_is_told_why(bench: Bench) -> None:
    with refused(406, "unknown delivery tag 7"):
        bench.ack(7)
    assert bench.effects(ChannelEnded) == [
        ChannelEnded(bench.channel, 406, "PRECONDITION_FAILED - unknown delivery tag 7")
    ]

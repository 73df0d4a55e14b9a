from __future__ import annotations

import random

import pytest

from patterns.broker import Machine
from patterns.broker.data import Consumer, Queue
from tests.unit.broker.bench import Bench, refused


@pytest.fixture(params=["classic", "quorum"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fill(bench: Bench, bodies: str, queue: str = "q") -> None:
    for body in bodies:
        assert bench.publish(queue, body) == "stored"


def test_messages_come_in_order_and_are_gone_when_acknowledged(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind)
    fill(bench, "ab")
    bench.consume("q")
    fill(bench, "c")
    deliveries = bench.deliveries()
    assert [(each.message.body, each.tag, each.redelivered) for each in deliveries] == [
        (b"a", 1, False), (b"b", 2, False), (b"c", 3, False)
    ]
    for each in deliveries:
        bench.ack(each.tag)
    bench.machine.disconnect(bench.connection, 0.0)
    assert bench.ready("q") == []


def test_prefetch_holds_back_until_there_is_room(bench: Bench) -> None:
    bench.queue("q")
    fill(bench, "abcdef")
    bench.consume("q", prefetch=2)
    assert bench.bodies() == ["a", "b"]
    bench.ack(1)
    assert bench.bodies() == ["c"]
    bench.ack(3, multiple=True)
    assert bench.bodies() == ["d", "e"]


def test_prefetch_is_each_consumers_own(bench: Bench) -> None:
    bench.queue("q")
    bench.consume("q", prefetch=1)
    bench.consume("q", prefetch=2)
    fill(bench, "abcdef")
    assert bench.bodies() == ["a", "b", "c"]


def test_prefetch_counts_for_consumers_started_after_it(bench: Bench) -> None:
    bench.queue("q")
    bench.consume("q", prefetch=1)
    bench.machine.qos(bench.channel, 0)
    fill(bench, "ab")
    assert bench.bodies() == ["a"]


def test_auto_ack_ignores_prefetch_and_leaves_nothing_behind(bench: Bench) -> None:
    bench.queue("q")
    bench.consume("q", prefetch=1, auto_ack=True)
    fill(bench, "abc")
    assert [(each.message.body, each.tag) for each in bench.deliveries()] == [(b"a", None), (b"b", None), (b"c", None)]
    bench.machine.disconnect(bench.connection, 0.0)
    assert bench.ready("q") == []


def test_competing_consumers_take_turns(bench: Bench) -> None:
    bench.queue("q")
    tags = [bench.consume("q") for _ in range(3)]
    fill(bench, "abcdef")
    assert [each.consumer for each in bench.deliveries()] == tags * 2


def test_whoever_drives_the_machine_may_choose_who_gets_a_message() -> None:
    asked: list[int] = []

    def last(queue: Queue, ready: object) -> Consumer:
        consumers = list(queue.consumers)
        asked.append(len(consumers))
        return consumers[-1]

    bench = Bench()
    bench.machine = Machine(choose=last)
    bench.connection = bench.machine.connect("test")
    bench.channel = bench.machine.open_channel(bench.connection)
    bench.queue("q")
    tags = [bench.consume("q") for _ in range(3)]
    fill(bench, "ab")
    assert [each.consumer for each in bench.deliveries()] == [tags[2]] * 2
    assert asked == [3, 3]


def test_only_consumers_with_room_are_offered_for_choice() -> None:
    chooser = random.Random(1)
    bench = Bench()
    bench.machine = Machine(choose=lambda _, ready: chooser.choice(ready))
    bench.connection = bench.machine.connect("test")
    bench.channel = bench.machine.open_channel(bench.connection)
    bench.queue("q")
    for _ in range(3):
        bench.consume("q", prefetch=2)
    fill(bench, "abcdefgh")
    assert bench.bodies() == list("abcdef")
    assert bench.ready("q") == ["g", "h"]


def test_an_unknown_delivery_tag_closes_the_channel_and_requeues(bench: Bench) -> None:
    bench.queue("q")
    fill(bench, "ab")
    bench.consume("q")
    [first, _] = bench.deliveries()
    bench.ack(first.tag)
    with refused(406, "unknown delivery tag 1"):
        bench.ack(first.tag)
    assert bench.ready("q") == ["b"]


@pytest.mark.parametrize("tag", [0, 3])
def test_multiple_up_to_a_tag_that_is_not_held_is_a_mistake(bench: Bench, tag: int) -> None:
    bench.queue("q")
    fill(bench, "ab")
    bench.consume("q")
    with refused(406):
        bench.ack(tag, multiple=tag != 0)


def test_multiple_with_tag_zero_means_all_even_when_there_are_none(bench: Bench) -> None:
    bench.ack(0, multiple=True)
    bench.queue("q")
    fill(bench, "abc")
    bench.consume("q")
    bench.ack(0, multiple=True)
    bench.machine.close_channel(bench.channel, 0.0)
    assert bench.ready("q") == []


def test_multiple_spares_what_came_later(bench: Bench) -> None:
    bench.queue("q")
    fill(bench, "abcd")
    bench.consume("q")
    bench.ack(2)
    bench.ack(3, multiple=True)
    bench.machine.close_channel(bench.channel, 0.0)
    assert bench.ready("q") == ["d"]


@pytest.mark.parametrize(("kind", "options", "first", "second", "order"), [
    ("classic", {}, 3, 1, ["a", "c", "e", "f"]),
    ("quorum", {"delivery_limit": 9}, 3, 1, ["c", "a", "e", "f"]),
    ("quorum", {}, 3, 1, ["e", "f", "c", "a"]),
])
def test_where_nacked_messages_go_is_as_measured(
    bench: Bench, kind: str, options: dict[str, int], first: int, second: int, order: list[str]
) -> None:
    bench.queue("q", kind=kind, **options)
    fill(bench, "abcdef")
    for _ in range(4):
        bench.machine.get(bench.channel, "q", 0.0)
    bench.nack(first)
    bench.nack(second)
    assert bench.ready("q") == order


@pytest.mark.parametrize(("kind", "order"), [("classic", "abcdef"), ("quorum", "bdacef")])
def test_where_messages_of_closed_channels_go_is_as_measured(bench: Bench, kind: str, order: str) -> None:
    bench.queue("q", kind=kind)
    fill(bench, "abcdef")
    one, two = bench.another(), bench.another()
    for channel in (one, two, one, two):
        bench.machine.get(channel, "q", 0.0)
    bench.machine.close_channel(two, 0.0)
    bench.machine.close_channel(one, 0.0)
    assert bench.ready("q") == list(order)
    assert [entry.redelivered for entry in bench.machine.queues["q"].ready] == [True] * 4 + [False] * 2


def test_returned_messages_keep_their_order_through_a_multiple_nack(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind, **({"delivery_limit": 9} if kind == "quorum" else {}))
    fill(bench, "abcde")
    bench.consume("q", prefetch=3)
    bench.deliveries()
    bench.nack(3, multiple=True)
    assert [(each.message.body, each.redelivered) for each in bench.deliveries()] == [
        (b"a", True), (b"b", True), (b"c", True)
    ]


def test_after_a_purge_nothing_counts_as_returned(bench: Bench) -> None:
    bench.queue("q", kind="quorum", delivery_limit=9)
    fill(bench, "xy")
    for _ in range(2):
        bench.machine.get(bench.channel, "q", 0.0)
    bench.nack(2, multiple=True)
    bench.machine.purge(bench.channel, "q", 0.0)
    fill(bench, "abc")
    bench.machine.get(bench.channel, "q", 0.0)
    bench.nack(3)
    assert bench.ready("q") == ["a", "b", "c"]


def test_a_rejected_message_goes_to_another_consumer_too(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind)
    first, second = bench.consume("q"), bench.consume("q")
    fill(bench, "a")
    assert [each.consumer for each in bench.deliveries()] == [first]
    bench.machine.reject(bench.channel, 1, 0.0, requeue=True)
    assert [(each.consumer, each.redelivered) for each in bench.deliveries()] == [(second, True)]


def test_a_message_thrown_away_is_gone(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind)
    fill(bench, "ab")
    bench.consume("q", prefetch=1)
    bench.machine.reject(bench.channel, 1, 0.0)
    assert bench.bodies() == ["a", "b"]
    bench.machine.close_channel(bench.channel, 0.0)
    assert bench.ready("q") == ["b"]


def test_a_lost_connection_requeues_what_all_its_channels_held(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind)
    fill(bench, "abcd")
    connection = bench.machine.connect("doomed")
    for _ in range(2):
        bench.consume("q", prefetch=2, channel=bench.machine.open_channel(connection))
    assert bench.bodies() == ["a", "b", "c", "d"]
    bench.machine.disconnect(connection, 0.0)
    assert bench.bodies() == []  # no consumer of the dying connection sees them again
    assert bench.ready("q") == ["a", "b", "c", "d"]
    assert bench.machine.queues["q"].unacked == 0


def test_cancelling_a_consumer_keeps_what_it_holds(bench: Bench) -> None:
    bench.queue("q")
    fill(bench, "ab")
    tag = bench.consume("q", prefetch=1)
    bench.machine.cancel(bench.channel, tag, 0.0)
    bench.ack(1)
    assert bench.bodies() == ["a"]
    assert bench.ready("q") == ["b"]
    bench.machine.cancel(bench.channel, tag, 0.0)  # twice is fine


def test_get_fetches_one_and_waits_for_its_ack(bench: Bench) -> None:
    bench.queue("q")
    assert bench.machine.get(bench.channel, "q", 0.0) is None
    fill(bench, "ab")
    fetched = bench.machine.get(bench.channel, "q", 0.0)
    assert fetched is not None
    assert (fetched.message.body, fetched.tag, fetched.redelivered) == (b"a", 1, False)
    auto = bench.machine.get(bench.channel, "q", 0.0, auto_ack=True)
    assert auto is not None
    assert auto.tag is None
    bench.nack(fetched.tag)
    assert bench.ready("q") == ["a"]


def test_an_exclusive_consumer_is_alone(bench: Bench) -> None:
    bench.queue("q")
    bench.consume("q", exclusive=True)
    with refused(403, "exclusive use"):
        bench.consume("q", channel=bench.another())
    bench.queue("other")
    bench.consume("other")
    with refused(403, "exclusive use"):
        bench.consume("other", channel=bench.another(), exclusive=True)


def test_an_auto_delete_queue_goes_with_its_last_consumer(bench: Bench) -> None:
    bench.queue("q", auto_delete=True)
    first, second = bench.consume("q"), bench.consume("q")
    bench.machine.cancel(bench.channel, first, 0.0)
    assert "q" in bench.machine.queues
    bench.machine.cancel(bench.channel, second, 0.0)
    assert "q" not in bench.machine.queues


def test_an_auto_delete_queue_goes_with_the_channel_of_its_last_consumer(bench: Bench) -> None:
    bench.queue("q", auto_delete=True)
    bench.consume("q", channel=(channel := bench.another()))
    fill(bench, "a")
    bench.machine.close_channel(channel, 0.0)
    assert "q" not in bench.machine.queues


def test_a_snapshot_lives_its_own_life(bench: Bench) -> None:
    bench.queue("q")
    fill(bench, "ab")
    bench.consume("q", prefetch=1)
    snapshot = bench.machine.snapshot()
    bench.ack(1)
    bench.machine.disconnect(bench.connection, 0.0)
    snapshot.nack(bench.channel, 1, 0.0)
    assert [entry.message.body for entry in snapshot.queues["q"].ready] == [b"b"]
    assert list(snapshot.channels[bench.channel].unacked) == [2]
    assert bench.ready("q") == ["b"]

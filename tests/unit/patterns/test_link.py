"""A kept connection: how it waits between attempts, what it finishes when told to stop, and what it says of itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from patterns.amqp import Channel, Delivery, Outgoing
from patterns.broker import EmbeddedTransport
from patterns.errors import BrokerUnavailable, ConnectionLost
from patterns.link import STEADY_SECONDS, TIDY_SECONDS, Link
from patterns.runtime import runtime
from tests.unit.patterns.simulated import in_simulated_time, let_pass

LONG = 10_000.0
"""Seconds that nobody should have to wait."""


def nothing(_: Channel, __: Sequence[Delivery]) -> None:
    return


def reading(channel: Channel) -> None:
    channel.declare_queue("q")
    channel.consume("q")


def linked(broker: Any, work: Callable[[Channel, Sequence[Delivery]], None] = nothing, limit: int = 10) -> Link:
    """A link that has begun to read a queue."""
    link = Link("x.ears", broker, reading, work, limit)
    link.start()
    assert link.opened(1)
    return link


def say(broker: EmbeddedTransport, *bodies: str) -> None:
    connection = broker.connect("speaker")
    connection.channel().publish([Outgoing("", "q", body.encode()) for body in bodies])
    connection.close()


class Attempts:
    """A broker that notes when somebody connects, and how; while it is ``away`` it lets nobody in."""

    def __init__(self) -> None:
        self.broker, self.away = EmbeddedTransport(), ""
        self.at: list[float] = []
        self.made: list[Any] = []
        self._began = runtime().monotonic()

    def connect(self, name: str) -> Any:
        self.at.append(runtime().monotonic() - self._began)
        if self.away:
            raise BrokerUnavailable(self.away)
        self.made.append(self.broker.connect(name))
        return self.made[-1]

    @property
    def pauses(self) -> list[float]:
        return [after - before for before, after in zip([0, *self.at], self.at, strict=False)]


# -- it connects until it works


def breaks_at_once(channel: Channel) -> None:
    reading(channel)
    channel.ack(999)  # the broker closes the channel


def surprise(_: Channel) -> None:
    raise ZeroDivisionError("nobody foresaw this")


@pytest.mark.parametrize("kind", ["away", "lost again at once", "a surprise"])
@in_simulated_time
def test_pauses_between_attempts_grow_also_when_each_attempt_succeeds(kind: str) -> None:
    broker = Attempts()
    broker.away = "away" if kind == "away" else ""
    prepare: dict[str, Callable[[Channel], None]] = {"lost again at once": breaks_at_once, "a surprise": surprise}
    link = Link("x.ears", broker, prepare.get(kind, reading), nothing, 10)
    link.start()
    let_pass(60)
    assert not link.connected and broker.broker.queues().get("q", (0, 0, 0))[2] == 0
    assert all(0.1 * 2**number <= pause <= 0.1 * 2**number + 0.2 for number, pause in enumerate(broker.pauses[1:6]))
    assert all(5 <= pause <= 5.2 for pause in broker.pauses[8:]) and len(broker.at) > 12
    attempts = len(broker.at)
    assert link.stop()
    link._thread.join(0.1)
    assert not link._thread.is_alive() and len(broker.at) <= attempts + 1, "nobody waits for the pause to end"
    assert not any(connection.is_open for connection in broker.made)


@in_simulated_time
def test_a_connection_that_held_is_made_again_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    broker = Attempts()
    link = linked(broker)
    began = link.since
    for _ in range(3):
        let_pass(STEADY_SECONDS)
        broker.broker.stop()
        broker.broker.start()
        let_pass(0)
    let_pass(1)
    assert broker.pauses == [0, *[STEADY_SECONDS] * 3]
    assert link.trouble is None and link.since == began + 3 * STEADY_SECONDS
    assert [(record.levelname, record.message.split(":")[0]) for record in caplog.records] == [
        ("WARNING", "Connection x.ears"), ("INFO", "Connected again.")] * 3
    assert link.stop()


@in_simulated_time
def test_what_went_wrong_is_told_once_and_a_surprise_each_time_with_where_it_was(
    caplog: pytest.LogCaptureFixture
) -> None:
    broker = Attempts()
    broker.away = "nobody there"
    link = Link("x.ears", broker, reading, nothing, 10)
    began = link.since
    with caplog.at_level(logging.INFO):
        link.start()
        let_pass(10)
        assert (link.trouble, link.since) == ("nobody there", began)
        broker.away = ""
        link.prepare = surprise
        let_pass(10)
        link.stop()
    [told, *again] = caplog.records
    assert told.message == "Connection x.ears: nobody there  Connecting until it works." and told.exc_info is None
    assert len(again) > 1 and all(record.exc_info and "ZeroDivisionError" in record.message for record in again)


@in_simulated_time
def test_trouble_counts_from_its_beginning_and_so_does_work(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    broker = Attempts()
    link = linked(broker)
    began = runtime().now()
    assert (link.since, link.trouble, link.connected) == (began, None, True)
    let_pass(100)
    broker.away = "gone"
    broker.broker.stop()
    let_pass(50)
    assert (link.since, link.trouble, link.connected) == (began + 100, "gone", False)
    broker.away = ""
    broker.broker.start()
    let_pass(50)
    assert (link.trouble, link.connected) == (None, True) and began + 150 <= link.since <= began + 156
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    link.stop()


# -- its channel, for others


@in_simulated_time
def test_the_channel_is_waited_for_and_who_does_not_get_it_is_told_why() -> None:
    broker = Attempts()
    broker.away = "gone"
    link = Link("x.ears", broker, reading, nothing, 10)
    with pytest.raises(BrokerUnavailable, match="No connection to the broker: not connected yet"):
        link.channel()
    link.start()
    began = runtime().monotonic()
    assert not link.opened(2) and runtime().monotonic() == began + 2
    with pytest.raises(BrokerUnavailable, match="No connection to the broker: gone"):
        link.channel(3)
    assert runtime().monotonic() == began + 5
    broker.away = ""
    assert link.channel(LONG) is link._channel is not None and link.opened(0)
    assert runtime().monotonic() < began + 12, "as soon as it is open"
    assert link.stop()


@in_simulated_time
def test_nobody_waits_for_the_channel_of_a_link_that_stops() -> None:
    broker = Attempts()
    broker.away = "gone"
    link = Link("x.ears", broker, reading, nothing, 10)
    began = runtime().monotonic()

    def soon() -> None:
        let_pass(2)
        link.drain(1)

    runtime().thread("operator", soon).start()
    with pytest.raises(BrokerUnavailable):
        link.channel(LONG)
    assert runtime().monotonic() == began + 2


@in_simulated_time
def test_a_broker_that_takes_no_messages_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    link = linked(broker := Attempts())
    monkeypatch.setattr(type(broker.made[0]), "blocked", "out of memory")
    assert link.trouble == "the broker takes no messages from us: out of memory"
    link.stop()


# -- what it reads


@in_simulated_time
def test_it_takes_what_is_ready_but_no_more_than_it_may() -> None:
    broker, sizes = Attempts(), list[int]()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        sizes.append(len(deliveries))
        let_pass(1)
        channel.ack(deliveries[-1].tag or 0, multiple=True)

    link = linked(broker, work, 3)
    say(broker.broker, *map(str, range(7)))
    let_pass(10)
    assert sizes == [3, 3, 1] and len(broker.at) == 1
    link.stop()


@in_simulated_time
def test_what_a_deleted_queue_had_delivered_is_handled_for_the_broker_has_it_no_more() -> None:
    broker, done = EmbeddedTransport(), list[bytes]()
    link = linked(broker, lambda _, deliveries: done.extend(delivery.body for delivery in deliveries))
    say(broker, "a")
    broker.connect("operator").channel().delete_queue("q")
    let_pass(1)
    assert done == [b"a"]
    link.stop()


@in_simulated_time
def test_it_is_not_connected_while_it_closes_what_it_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    broker, said = Attempts(), list[str | None]()
    link = linked(broker)
    monkeypatch.setattr(broker.made[0], "close", lambda: said.append(link.trouble))
    broker.broker.stop()
    broker.broker.start()
    let_pass(1)
    assert said == ["not connected"] and link.trouble is None
    link.stop()


@in_simulated_time
def test_it_knows_which_of_its_consumers_are_alive_and_begins_anew_when_one_is_not(
    caplog: pytest.LogCaptureFixture
) -> None:
    broker = EmbeddedTransport()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        let_pass(5)
        channel.ack(deliveries[-1].tag or 0)

    link = Link("x.ears", broker, reading, work, 1)
    assert (link.trouble, link.reads) == ("not connected yet", {})
    link.start()
    assert link.opened(1)
    say(broker, "a")
    let_pass(1)
    assert (link.reads, link.trouble) == ({"q": True}, None)
    operator = broker.connect("operator").channel()
    operator.delete_queue("q")
    assert link.reads == {"q": False}, "though its thread is busy, and has not heard of it"
    assert link.trouble == "the broker ended the consumer of q: was the queue deleted?"
    let_pass(10)
    assert (link.reads, link.trouble) == ({"q": True}, None)
    assert ["The broker cancelled the consumer of q" in record.message for record in caplog.records] == [True]
    assert link.stop()
    assert link.reads == {"q": False}


# -- how it stops


@in_simulated_time
def test_what_was_delivered_is_finished_before_it_stops() -> None:
    broker, done = EmbeddedTransport(), list[bytes]()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        let_pass(1)
        done.extend(delivery.body for delivery in deliveries)
        channel.ack(deliveries[-1].tag or 0, multiple=True)

    link = linked(broker, work, 2)
    say(broker, *map(str, range(7)))
    let_pass(0.5)
    link.drain(5)
    assert broker.queues()["q"][2] == 1, "the consumer is there until the first are done"
    let_pass(1)
    assert broker.queues()["q"][2] == 0, "and not any longer"
    link.drain(0)  # has no effect: the first one said how long
    link._thread.join(5)
    assert link.stop(0) and len(done) == 7
    assert broker.queues()["q"] == (0, 0, 0)
    assert (link.trouble, link.connected) == ("stopped", False)


@in_simulated_time
def test_what_takes_too_long_is_left_and_delivered_again() -> None:
    broker = EmbeddedTransport()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        let_pass(10)
        channel.ack(deliveries[-1].tag or 0)

    link = linked(broker, work, 1)
    say(broker, "a", "b")
    let_pass(1)
    assert not link.stop(0.05), "and it says so"
    assert link.stop(20), "later it is over"
    assert broker.queues()["q"] == (1, 0, 0), "what was in hand is done, and nothing was begun after that"


@in_simulated_time
def test_how_long_a_stop_may_take_is_known_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    link = linked(EmbeddedTransport())
    known: list[float | None] = []
    with monkeypatch.context() as patches:
        patches.setattr(link.stopping, "set", lambda: known.append(link._until))
        link.drain(5)
    assert known == [runtime().monotonic() + 5]
    link.abandon()


@in_simulated_time
def test_a_queue_that_is_deleted_meanwhile_does_not_keep_it_from_finishing_the_others() -> None:
    broker, done = EmbeddedTransport(), list[str]()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        let_pass(1)
        done.extend(delivery.queue for delivery in deliveries)
        channel.ack(deliveries[-1].tag or 0, multiple=True)

    def reading_two(channel: Channel) -> None:
        channel.declare_queue("other")
        reading(channel)
        channel.consume("other")

    link = Link("x.ears", broker, reading_two, work, 1)
    link.start()
    assert link.opened(1)
    say(broker, "a")
    let_pass(0.5)
    operator = broker.connect("operator").channel()
    operator.delete_queue("q")
    operator.publish([Outgoing("", "other", b"b")])
    assert link.stop(10)
    assert done == ["q", "other"]


@in_simulated_time
def test_who_waits_for_work_is_woken_to_stop() -> None:
    link, began = linked(EmbeddedTransport()), runtime().monotonic()
    assert link.stop(LONG) and not link._thread.is_alive()
    assert runtime().monotonic() == began


@in_simulated_time
def test_a_link_that_is_connecting_is_not_waited_for_and_then_connects_no_more() -> None:
    broker, real = Attempts(), Attempts.connect

    class Slow(Attempts):
        def connect(self, name: str) -> Any:
            let_pass(100)
            return real(broker, name)

    link = Link("x.ears", Slow(), reading, nothing, 1)
    link.start()
    let_pass(1)
    began = runtime().monotonic()
    assert link.stop(timeout=LONG)
    assert runtime().monotonic() == began + TIDY_SECONDS
    link._thread.join(LONG)
    assert not link._thread.is_alive() and not link.connected and link.trouble == "stopped"
    assert len(broker.made) == 1 and not broker.made[0].is_open


@in_simulated_time
def test_a_crash_acknowledges_nothing_and_says_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    broker = Attempts()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        let_pass(5)
        channel.ack(deliveries[-1].tag or 0)

    link = linked(broker, work)
    say(broker.broker, "a")
    let_pass(1)
    link.abandon()
    assert broker.broker.queues()["q"] == (1, 0, 0) and not link.connected
    link._thread.join(LONG)
    assert broker.broker.queues()["q"] == (1, 0, 0) and len(broker.at) == 1 and caplog.records == []
    Link("y.ears", broker, reading, nothing, 1).abandon()


@in_simulated_time
def test_a_channel_that_cannot_be_prepared_is_not_left_open() -> None:
    broker = Attempts()
    link = Link("x.ears", broker, surprise, nothing, 1)
    with pytest.raises(ZeroDivisionError):
        link._connect()
    assert [connection.is_open for connection in broker.made] == [False]
    with pytest.raises(ConnectionLost, match="Stopped while connecting"):
        link.prepare = reading
        link.stopping.set()
        link._connect()

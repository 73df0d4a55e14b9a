"""A kept connection: how it waits between attempts, what it finishes when told to stop, and what it says of itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from patterns.amqp import Channel, Delivery, Outgoing
from patterns.broker import EmbeddedTransport
from patterns.errors import BrokerUnavailable, ConnectionLost
from patterns.link import Link
from patterns.runtime import Runtime, use_runtime

SOON = 30


class Pauses(Runtime):
    """A runtime that writes down how long anybody pauses, and does not."""

    def __init__(self, enough: int) -> None:
        self.pauses: list[float] = []
        self.over = threading.Event()
        self._enough = enough

    def event(self) -> Any:
        pauses = self

        class Hasty(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                pauses.pauses.append(timeout or 0)
                if len(pauses.pauses) == pauses._enough:
                    self.set()
                    pauses.over.set()
                return self.is_set()

        return Hasty()


@pytest.fixture
def broker(tmp_path: Path) -> Any:
    with_closing = EmbeddedTransport(tmp_path)
    yield with_closing
    with_closing.close()


def nothing(_: Channel, __: Sequence[Delivery]) -> None:
    return


def say(broker: EmbeddedTransport, *bodies: str) -> None:
    connection = broker.connect("speaker")
    connection.channel().publish([Outgoing("", "q", body.encode()) for body in bodies])
    connection.close()


def reading(channel: Channel) -> None:
    channel.declare_queue("q")
    channel.consume("q")


class Away:
    """A broker that never answers."""

    def connect(self, name: str) -> Any:
        raise BrokerUnavailable(f"nobody there for {name}")


def breaks_at_once(channel: Channel) -> None:
    reading(channel)
    channel.ack(999)  # the broker closes the channel


@pytest.mark.parametrize("kind", ["away", "lost again at once", "a surprise"])
def test_pauses_between_attempts_grow_also_when_each_attempt_succeeds(kind: str, broker: EmbeddedTransport) -> None:
    runtime = Pauses(enough=9)
    use_runtime(runtime)

    def surprise(_: Channel) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    try:
        prepare: dict[str, Callable[[Channel], None]] = {"lost again at once": breaks_at_once, "a surprise": surprise}
        link = Link("x.ears", Away() if kind == "away" else broker, prepare.get(kind, reading), nothing, 10)
        link.start()
        assert runtime.over.wait(SOON)
        link.stop()
    finally:
        use_runtime(None)
    assert all(pause >= 0.1 * 2**number for number, pause in enumerate(runtime.pauses[:5]))
    assert max(runtime.pauses) <= 5.2


def test_what_was_delivered_is_finished_before_it_stops(broker: EmbeddedTransport) -> None:
    started, go_on, done = threading.Event(), threading.Event(), list[bytes]()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        started.set()
        assert go_on.wait(SOON)
        done.extend(delivery.body for delivery in deliveries)
        channel.ack(deliveries[-1].tag or 0, multiple=True)

    link = Link("x.ears", broker, reading, work, 2)
    link.start()
    assert link.opened(SOON)
    say(broker, *map(str, range(7)))
    assert started.wait(SOON)
    link.drain(SOON)
    assert broker.queues()["q"][2] == 1, "the consumer is there until the first are done"
    go_on.set()
    assert link.stop(SOON)
    assert len(done) == 7
    assert broker.queues()["q"] == (0, 0, 0)
    assert link.trouble == "stopped"


def test_what_takes_too_long_is_left_and_delivered_again(broker: EmbeddedTransport) -> None:
    started, go_on = threading.Event(), threading.Event()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        started.set()
        assert go_on.wait(SOON)

    link = Link("x.ears", broker, reading, work, 1)
    link.start()
    assert link.opened(SOON)
    say(broker, "a", "b")
    assert started.wait(SOON)
    assert not link.stop(0.05), "and it says so"
    go_on.set()
    assert link.stop(SOON), "later it is over"
    assert broker.queues()["q"] == (2, 0, 0)


def test_a_link_that_is_connecting_is_not_waited_for() -> None:
    connecting, answer = threading.Event(), threading.Event()

    class Slow:
        def connect(self, name: str) -> Any:
            connecting.set()
            answer.wait(SOON)
            raise ConnectionLost(name)

    link = Link("x.ears", Slow(), reading, nothing, 1)
    link.start()
    assert connecting.wait(SOON)
    assert link.stop(timeout=SOON * 10)
    assert not answer.is_set()
    answer.set()


def test_it_knows_which_of_its_consumers_are_alive(broker: EmbeddedTransport) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def work(channel: Channel, deliveries: Sequence[Delivery]) -> None:
        busy.set()
        assert go_on.wait(SOON)
        channel.ack(deliveries[-1].tag or 0)

    link = Link("x.ears", broker, reading, work, 1)
    assert link.trouble == "not connected yet"
    link.start()
    assert link.opened(SOON)
    say(broker, "a")
    assert busy.wait(SOON)
    assert (link.reads, link.trouble) == ({"q": True}, None)
    operator = broker.connect("operator")
    operator.channel().delete_queue("q")
    assert link.reads == {"q": False}, "though its thread is busy, and has not heard of it"
    assert link.trouble == "the broker ended the consumer of q: was the queue deleted?"
    go_on.set()
    until = threading.Event()
    while link.trouble is not None:
        until.wait(0.01)
    assert link.reads == {"q": True}
    link.stop()

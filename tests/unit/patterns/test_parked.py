"""Parked messages, in simulated time: who waits for whom, for how long, and what can never work."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from patterns.address import Topic
from patterns.amqp import Channel, Connection, Delivery
from patterns.broker import EmbeddedTransport
from patterns.database import Session
from patterns.envelope import Context, seal
from patterns.errors import ChannelClosed, Conflict
from patterns.parked import PATIENCE_SECONDS, ParkedQueue
from patterns.runtime import runtime
from patterns.shop import FundsReleased, StockReleased
from patterns.wiring import Wiring
from tests.unit.handlers.workbench import word
from tests.unit.patterns.simulated import in_simulated_time, let_pass


def hear(session: Session, released: StockReleased) -> None:
    return


WIRINGS = {"topic": Wiring(hears=((Topic("stock.*"), hear),))}


def parked(broker: EmbeddedTransport) -> ParkedQueue:
    return ParkedQueue("own", broker, WIRINGS)


def look_elsewhere(broker: EmbeddedTransport, seconds: float) -> None:
    """Somebody else looks, for so long."""
    other = broker.connect("other")
    other.channel().declare_queue("own.parked.looking", exclusive=True)

    def leave() -> None:
        let_pass(seconds)
        other.close()

    runtime().thread("other", leave).start()


class Closed:
    """A connection and a channel on which every declaration ends with this code."""

    def __init__(self, code: int) -> None:
        self.code = code

    def channel(self) -> Any:
        return self

    def declare_queue(self, *_: object, **__: object) -> None:
        raise ChannelClosed(self.code, "no")


@in_simulated_time
def test_who_looks_waits_until_the_other_has_looked() -> None:
    broker, began = EmbeddedTransport(), runtime().monotonic()
    look_elsewhere(broker, 1)
    assert parked(broker).look() == (0, [])
    assert 1 <= runtime().monotonic() - began <= 1.1


@in_simulated_time
def test_nobody_waits_longer_than_is_patient() -> None:
    broker, began = EmbeddedTransport(), runtime().monotonic()
    look_elsewhere(broker, 100)
    with pytest.raises(Conflict, match=r"Somebody else is looking at own\.parked now"):
        parked(broker).look()
    assert PATIENCE_SECONDS <= runtime().monotonic() - began <= PATIENCE_SECONDS + 0.1


@in_simulated_time
def test_what_is_wrong_with_a_queue_is_told_at_once() -> None:
    queue, began = parked(EmbeddedTransport()), runtime().monotonic()
    with pytest.raises(ChannelClosed, match="403"):
        queue._lock(cast("Connection", Closed(403)))
    with pytest.raises(ChannelClosed, match="405"):
        queue._count(cast("Channel", Closed(405)))
    assert queue._count(cast("Channel", Closed(404))) == 0 and runtime().monotonic() == began


@in_simulated_time
def test_what_somebody_else_took_meanwhile_is_not_waited_for() -> None:
    found = iter(["one", None, "two"])
    channel = cast("Channel", SimpleNamespace(get=lambda _: next(found)))
    assert list(parked(EmbeddedTransport())._take(channel, 3)) == ["one"]


@in_simulated_time
def test_what_does_not_come_back_is_not_waited_for_without_end() -> None:
    began = runtime().monotonic()
    channel = SimpleNamespace(nack=lambda *_, **__: None, declare_queue=lambda *_, **__: SimpleNamespace(messages=0))
    parked(EmbeddedTransport())._give_back(cast("Channel", channel), [1])
    assert PATIENCE_SECONDS <= runtime().monotonic() - began <= PATIENCE_SECONDS + 0.1


def test_what_can_never_work_is_known_and_why() -> None:
    queue = parked(EmbeddedTransport())

    def hopeless(said: Any, parked_as: str) -> str:
        out = seal(word(said), Topic("stock.released"), Context("topic")).outgoing("other")
        heard = Delivery("own.topic", 1, out.exchange, out.routing_key, out.body, out.properties)
        return queue._hopeless(heard, parked_as, "because")

    assert hopeless(StockReleased, "failed") == ""
    assert hopeless(StockReleased, "refused") == "its handler refused it for good: because"
    assert hopeless(FundsReleased, "failed") == "type 'FundsReleased' is not understood at own.topic"

"""What a service declares before anybody speaks: every queue, exchange and binding, with arguments that lose nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import pytest

from patterns import topology
from patterns.address import Direct, Fanout, Queue, Topic
from patterns.amqp import Channel
from patterns.database import Session
from patterns.settings import configure
from patterns.shop import StockReleased
from patterns.wiring import Wiring


def hear(session: Session, released: StockReleased) -> None:
    return


WIRINGS = {
    "default": Wiring(hears=((Queue("own.hear"), hear),)),
    "topic": Wiring(hears=((Topic("stock.*"), hear), (Topic("goods.*"), hear)), says=((StockReleased, Topic("own.said")),)),
    "direct": Wiring(hears=((Direct("goods.moved"), hear),)),
    "fanout": Wiring(says=((StockReleased, Fanout("EX_OWN")),)),
}


class Notes:
    """A channel that notes what is declared on it; ``waits``: how often somebody waited for the broker."""

    def __init__(self) -> None:
        self.queues: dict[str, Mapping[str, Any]] = {}
        self.exchanges: dict[str, str] = {}
        self.bindings: list[tuple[str, ...]] = []
        self.waits = 0

    @contextmanager
    def pipeline(self) -> Iterator[Notes]:
        yield self
        self.waits += 1

    def declare_queue(self, name: str, *, arguments: Mapping[str, Any]) -> None:
        assert name not in self.queues, "declared twice"
        self.queues[name] = arguments

    def declare_exchange(self, name: str, kind: str) -> None:
        assert name not in self.exchanges, "declared twice"
        self.exchanges[name] = kind

    def bind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        assert queue in self.queues and exchange in self.exchanges, "the broker would refuse this"
        self.bindings.append((queue, exchange, routing_key))


@pytest.fixture
def notes() -> Notes:
    return Notes()


def declared(notes: Notes, queue_type: str) -> Notes:
    configure(retry_delays_seconds=(1, 2.5), queue_type=queue_type)
    topology.declare(cast("Channel", notes), "own", WIRINGS)
    assert notes.waits == 1
    return notes


def test_everything_that_is_heard_or_said_is_there_with_its_retries(notes: Notes) -> None:
    declared(notes, "quorum")
    retries = ["orderflow.retry.1000", "orderflow.retry.2500"]
    assert sorted(notes.queues) == sorted([*retries, "own.parked", "own.dead", "own.hear", "own.topic", "own.direct"])
    assert notes.exchanges == {
        **dict.fromkeys(retries, "fanout"), "orderflow.topic": "topic", "orderflow.direct": "direct", "EX_OWN": "fanout"}
    assert notes.bindings == [
        *((name, name, "") for name in retries),
        ("own.topic", "orderflow.topic", "stock.*"), ("own.topic", "orderflow.topic", "goods.*"),
        ("own.direct", "orderflow.direct", "goods.moved"),
    ]


DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "own.dead"}
SAFELY = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


def test_a_quorum_queue_gives_nothing_up_but_to_the_dead_queue(notes: Notes) -> None:
    queues = declared(notes, "quorum").queues
    for name in ("own.hear", "own.topic"):
        assert queues[name] == {"x-queue-type": "quorum", **DEAD, **SAFELY, "x-delivery-limit": topology.DELIVERY_LIMIT}
    for name in ("own.parked", "own.dead"):
        assert queues[name] == {"x-queue-type": "quorum", "x-delivery-limit": topology.NO_LIMIT}
    assert queues["orderflow.retry.2500"] == {
        "x-queue-type": "quorum", "x-message-ttl": 2500, "x-dead-letter-exchange": "", **SAFELY}


def test_a_classic_queue_is_told_nothing_that_it_does_not_know(notes: Notes) -> None:
    queues = declared(notes, "classic").queues
    assert queues["own.hear"] == {"x-queue-type": "classic", **DEAD}
    assert queues["own.parked"] == queues["own.dead"] == {"x-queue-type": "classic"}
    assert queues["orderflow.retry.1000"] == {
        "x-queue-type": "classic", "x-message-ttl": 1000, "x-dead-letter-exchange": ""}


def test_whoever_speaks_declares_what_all_services_it_knows_hear(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "_known", {})
    for service in ("own", "other"):
        topology.know(service, {"default": Wiring(hears=((Queue(f"{service}.hear"), hear),))})
    topology.declare_known(cast("Channel", notes))
    assert {"own.hear", "own.dead", "other.hear", "other.parked"} < set(notes.queues) and notes.waits == 1
    assert any(name.startswith("orderflow.retry.") for name in notes.queues)


def test_a_service_reads_each_queue_in_its_mode() -> None:
    assert topology.heard_queues("own", WIRINGS) == {
        "own.hear": "default", "own.topic": "topic", "own.direct": "direct"}


def test_one_wiring_may_be_that_of_several_services() -> None:
    assert [WIRINGS["topic"].needs(name).queues for name in ("own", "other", "own")] == [
        ("own.topic",), ("other.topic",), ("own.topic",)]

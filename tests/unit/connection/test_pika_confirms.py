"""Receipts: what the broker's acks, nacks and returns mean for each message of each batch."""

from __future__ import annotations

import struct
import threading
from typing import Any

import pytest
from pika import frame, spec

from patterns.amqp import Outgoing, Properties, Receipt
from patterns.connection_confirms import Batch, Confirms

CONFIRMED, RETURNED, REFUSED, UNKNOWN = Receipt.CONFIRMED, Receipt.RETURNED, Receipt.REFUSED, Receipt.UNKNOWN

FOR_EVER = 10**6
"""Seconds; a test that really waits so long is ended by the runner, and has failed."""


class Wire:
    """Stands in for pika's channel; what is published on it is answered by the test."""

    def __init__(self) -> None:
        self.is_open = True
        self.sent: list[tuple[Any, ...]] = []
        self.confirms = Confirms()

    def basic_publish(self, exchange: str, key: str, body: bytes, properties: spec.BasicProperties, mandatory: bool) -> None:
        properties.encode()
        self.sent.append((exchange, key, body, properties, mandatory))

    def publish(self, *messages: Outgoing) -> Batch:
        batch = self.confirms.batch(messages)
        self.confirms.publish(self, batch)
        return batch

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        self.confirms.answered(frame.Method(1, spec.Basic.Ack(tag, multiple)))

    def nack(self, tag: int, *, multiple: bool = False) -> None:
        self.confirms.answered(frame.Method(1, spec.Basic.Nack(tag, multiple)))

    def give_back(self, number: int) -> None:
        """Return the message that was published as this one, from 1."""
        exchange, key, body, properties, _ = self.sent[number - 1]
        self.confirms.returned(self, spec.Basic.Return(312, "NO_ROUTE", exchange, key), properties, body)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def message(body: str, *, mandatory: bool = True, **properties: Any) -> Outgoing:
    return Outgoing("", "q", body.encode(), Properties(**properties), mandatory)


def test_answers_come_in_any_order_and_several_at_once(wire: Wire) -> None:
    first, second = wire.publish(*map(message, "abcd")), wire.publish(*map(message, "ef"))
    wire.ack(3)
    wire.nack(6)
    wire.ack(2, multiple=True)
    wire.nack(4, multiple=True)
    assert first.wait(0) == [CONFIRMED, CONFIRMED, CONFIRMED, REFUSED]
    assert second.wait(0) == [UNKNOWN, REFUSED]
    wire.ack(5, multiple=True)
    assert second.wait(0) == [CONFIRMED, REFUSED]


def test_whoever_waits_is_told_by_the_last_answer(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = wire.publish(message("a"), message("b"))
    wire.ack(2)
    assert not batch._over.is_set()
    monkeypatch.setattr(batch._over, "wait", lambda _: wire.ack(1))
    assert batch.wait(FOR_EVER) == [CONFIRMED, CONFIRMED]
    assert batch._over.is_set() and not wire.confirms._waiting


def test_a_returned_message_stays_returned_when_it_is_confirmed(wire: Wire) -> None:
    batch = wire.publish(message("a"), message("b"))
    wire.give_back(2)
    wire.ack(2, multiple=True)
    assert batch.wait(0) == [CONFIRMED, RETURNED]


def test_a_return_is_the_oldest_message_that_looks_like_it(wire: Wire) -> None:
    batch = wire.publish(
        message("m", mandatory=False), message("m"), message("m", message_id="other"),
        message("m", correlation_id="other"), message("m"), message("m"),
    )
    wire.ack(2)
    wire.give_back(5)
    wire.give_back(3)
    wire.ack(6, multiple=True)
    assert batch.wait(0) == [CONFIRMED, CONFIRMED, RETURNED, CONFIRMED, RETURNED, CONFIRMED]


def test_two_equal_messages_may_both_come_back_before_any_answer(wire: Wire) -> None:
    batch = wire.publish(message("m"), message("m"), message("m"))
    wire.give_back(1)
    wire.give_back(2)
    wire.ack(3, multiple=True)
    assert batch.wait(0) == [RETURNED, RETURNED, CONFIRMED]


def test_a_return_of_nothing_we_know_is_nothing_to_us(wire: Wire) -> None:
    batch = wire.publish(message("a"))
    wire.confirms.returned(wire, spec.Basic.Return(312, "NO_ROUTE", "", "q"), spec.BasicProperties(), b"another")
    wire.ack(1)
    assert batch.wait(0) == [CONFIRMED]


def test_the_end_answers_unknown_to_all_who_wait_and_all_who_come_later(wire: Wire) -> None:
    batch = wire.publish(message("a"), message("b"))
    wire.ack(1)
    waiting: list[list[Receipt]] = []
    thread = threading.Thread(target=lambda: waiting.append(batch.wait(FOR_EVER)), daemon=True)
    thread.start()
    wire.confirms.end()
    thread.join(30)
    assert waiting == [[CONFIRMED, UNKNOWN]]
    assert wire.confirms.batch([message("late")]).wait(FOR_EVER) == [UNKNOWN]


def test_nothing_is_sent_on_a_channel_that_is_closing(wire: Wire) -> None:
    wire.is_open = False
    batch = wire.publish(message("a"))
    assert wire.sent == []
    wire.confirms.end()
    assert batch.wait(FOR_EVER) == [UNKNOWN]


def test_a_message_that_cannot_be_sent_does_not_disturb_the_count(wire: Wire) -> None:
    broken = wire.publish(message("a"), message("b", headers={"h": object()}), message("c"))
    with pytest.raises(ValueError, match="AMQP cannot carry this"):
        broken.wait(0)
    assert not wire.confirms._waiting
    following = wire.publish(message("d"))
    assert [sent[2] for sent in wire.sent] == [b"a", b"d"]
    wire.nack(1)
    wire.ack(2)
    assert following.wait(0) == [CONFIRMED]


def test_an_error_of_pikas_own_is_not_swallowed(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise struct.error("int too large")

    monkeypatch.setattr(wire, "basic_publish", fail)
    with pytest.raises(ValueError, match="int too large"):
        wire.publish(message("a")).wait(0)

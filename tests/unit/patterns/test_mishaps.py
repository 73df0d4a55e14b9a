"""What could not be handled: each case is counted for what it is, and only after the broker has the copy."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from patterns.amqp import Delivery, Outgoing, Properties, Receipt
from patterns.errors import ConnectionLost, ServerUnavailable, Unreadable
from patterns.mishaps import Mishaps


class Wire:
    """Stands where a service's voice does."""

    def __init__(self, receipt: Receipt = Receipt.CONFIRMED) -> None:
        self.sent, self.receipt = list[Outgoing](), receipt

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:  # noqa: ARG002
        self.sent += messages
        return [self.receipt for _ in messages]


def delivery(tag: int | None = 1, kind: str | None = "OrderPlaced", queue: str = "own.topic", **headers: object) -> Delivery:
    return Delivery(queue, tag, "", queue, b"{}", Properties(message_id="m", type=kind, headers=headers))


def mishaps(wire: Wire) -> Mishaps:
    return Mishaps("own", wire, ["own.topic"])


FAILURES = [
    ("unreadable", Unreadable("no type"), "no type"), ("unreadable", ValueError("odd"), "ValueError: odd"),
    ("failed", Unreadable("never"), "never"), ("failed", RuntimeError("no"), "RuntimeError: no"),
    ("unserved", ServerUnavailable("away"), "ServerUnavailable: away"),
]


@pytest.mark.parametrize(("way", "error", "reason"), FAILURES)
def test_an_answer_that_fails_is_dropped_since_its_question_is_asked_again(
    way: str, error: Exception, reason: str
) -> None:
    wire = Wire()
    some = mishaps(wire)
    getattr(some, way)(delivery(tag=None), error)
    assert (wire.sent, dict(some.counts)) == ([], {"dropped": 1})


@pytest.mark.parametrize(("way", "error", "reason"), FAILURES)
def test_the_copy_says_why(way: str, error: Exception, reason: str) -> None:
    wire = Wire()
    getattr(mishaps(wire), way)(delivery(), error)
    assert [each["reason"] for each in wire.sent[0].properties.headers["failures"]] == [reason]


@pytest.mark.parametrize(("way", "error", "reason"), FAILURES)
def test_what_the_broker_did_not_take_is_not_counted(way: str, error: Exception, reason: str) -> None:
    some = mishaps(Wire(Receipt.UNKNOWN))
    with pytest.raises(ConnectionLost):
        getattr(some, way)(delivery(), error)
    assert dict(some.counts) == {}


def test_each_is_counted_for_what_became_of_it(caplog: pytest.LogCaptureFixture) -> None:
    some = mishaps(Wire())
    died = {"x-death": [{"queue": "own.topic", "reason": "delivery_limit"}]}
    with caplog.at_level(logging.WARNING):
        some.failed(delivery(), RuntimeError("no"))
        some.failed(delivery(attempt=3), RuntimeError("no"))
        some.unserved(delivery(), ServerUnavailable("away"))
        some.given_up(delivery(queue="own.dead", **died))
        some.given_up(delivery(kind=None, queue="own.dead"))
    assert dict(some.counts) == {"retried": 1, "parked": 2, "waits": 1, "sent_back": 1}
    said = [record.getMessage() for record in caplog.records]
    assert [words.split(":")[0] for words in said] == [
        "OrderPlaced retried at own.topic", "OrderPlaced parked at own.topic", "OrderPlaced sent_back at own.dead",
        "A message parked at own.dead"]
    assert [words.rsplit(" ", 1)[1] for words in said[2:]] == ["own.topic", "parked"]

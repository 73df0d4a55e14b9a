"""The retry ladder's copies: what they carry, and where they may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lab.shop import wirings_of
from patterns.amqp import Delivery, Outgoing, Properties, Receipt
from patterns.broker.wire import carried
from patterns.errors import ConnectionLost
from patterns.retry import MOST_REPLAYS, Retries
from patterns.topology import heard_queues


class Wire:
    """Stands where a service's voice does, and refuses what AMQP cannot carry."""

    def __init__(self, receipt: Receipt = Receipt.CONFIRMED) -> None:
        self.sent, self.receipt = list[Outgoing](), receipt

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:  # noqa: ARG002
        self.sent += [carried(message) for message in messages]
        return [self.receipt for _ in messages]


def delivery(queue: str = "product.topic", headers: Mapping[str, Any] | None = None) -> Delivery:
    return Delivery(queue, 1, "", queue, b"{}", Properties(message_id="m", type="OrderPlaced", headers=headers or {}))


def ladder(wire: Wire) -> Retries:
    return Retries("product", wire, heard_queues("product", wirings_of("product")))


def test_each_try_waits_longer_and_the_last_is_parked() -> None:
    wire, attempt = Wire(), delivery()
    pauses = []
    for _ in range(4):
        pauses.append(ladder(wire).again_or_park(attempt, "RuntimeError: no"))
        attempt = delivery(headers=wire.sent[-1].properties.headers)
    assert pauses == [1, 5, 25, None]
    assert [(one.exchange, one.routing_key) for one in wire.sent] == [
        ("orderflow.retry.1000", "product.topic"), ("orderflow.retry.5000", "product.topic"),
        ("orderflow.retry.25000", "product.topic"), ("", "product.parked"),
    ]


def test_who_waits_for_a_server_comes_back_after_pauses_that_grow_and_is_never_parked() -> None:
    wire, attempt = Wire(), delivery(headers={"attempt": 2})
    pauses = []
    for _ in range(5):
        pauses.append(ladder(wire).wait(attempt, "away"))
        attempt = delivery(headers=wire.sent[-1].properties.headers)
    assert pauses == [1, 5, 25, 25, 25]
    assert [one.exchange for one in wire.sent] == [f"orderflow.retry.{int(pause)}000" for pause in pauses]
    assert {one.routing_key for one in wire.sent} == {"product.topic"}
    headers = wire.sent[-1].properties.headers
    assert (headers["waits"], headers["attempt"], headers["failures"][-1]["reason"]) == (5, 2, "away")


def parked(headers: Mapping[str, Any], reason: str = "why") -> Mapping[str, Any]:
    """The headers of a parked copy."""
    wire = Wire()
    ladder(wire).park(delivery(headers=headers), reason, "unreadable")
    assert wire.sent[0].body == b"{}"
    return wire.sent[0].properties.headers


def test_a_copy_says_why_when_and_where() -> None:
    headers = dict(parked({"mode": "topic"}))
    assert headers.pop("parked_at") == headers.pop("first_failed_at") == headers["failures"][0].pop("at")
    assert headers == {
        "mode": "topic", "attempt": 1, "failures": [{"reason": "why"}], "parked_as": "unreadable",
        "parked_because": "why", "parked_from": "product.topic", "parked_exchange": "", "parked_key": "product.topic",
    }


def test_a_parked_message_remembers_every_try() -> None:
    wire, attempt = Wire(), delivery()
    for number in range(4):
        ladder(wire).again_or_park(attempt, f"no {number}")
        attempt = delivery(headers=wire.sent[-1].properties.headers)
    headers = wire.sent[-1].properties.headers
    assert (headers["attempt"], headers["parked_as"]) == (4, "failed")
    assert [each["reason"] for each in headers["failures"]] == ["no 0", "no 1", "no 2", "failed 4 times, at last: no 3"]


def test_only_the_last_reasons_are_kept() -> None:
    before = [{"at": 5, "reason": f"no {number}"} for number in range(100)]
    headers = parked({"failures": before, "first_failed_at": 3})
    assert [each["reason"] for each in headers["failures"]] == ["no 96", "no 97", "no 98", "no 99", "why"]
    assert headers["first_failed_at"] == 3


@pytest.mark.parametrize("forged", [
    "x", 5, ["x"], [{"at": "x", "reason": "y"}], [{"at": 5, "reason": {}}], [{}], {"at": 5, "reason": "y"}])
def test_a_forged_history_is_not_believed(forged: Any) -> None:
    headers = parked({"failures": forged, "first_failed_at": "x", "attempt": -5, "parked_from": "user.topic"})
    assert [each["reason"] for each in headers["failures"]] == ["why"]
    assert (headers["attempt"], headers["parked_from"]) == (1, "product.topic")


@pytest.mark.parametrize("forged", [10**12, 4, -1, True, "3", 2.0])
def test_a_forged_count_of_attempts_is_not_believed(forged: Any) -> None:
    assert ladder(Wire()).again_or_park(delivery(headers={"attempt": forged}), "no") == 1


def test_what_a_broker_would_obey_is_kept_under_another_name() -> None:
    headers = parked({"CC": ["order.create"], "BCC": ["order.create"], "x-delay": 5, "x-death": ["forged"], "cc": 1})
    assert {name: value for name, value in headers.items() if name.lower().endswith(("cc", "x-delay", "x-death"))} == {
        "client.CC": ["order.create"], "client.BCC": ["order.create"], "client.x-delay": 5, "cc": 1}


def test_what_amqp_lets_others_write_is_kept_as_text() -> None:
    headers = parked({
        "weight": 1.5, "half": "a \ud800 pair", "long": 2**63, "early": datetime(1, 1, 1, tzinfo=UTC), "n" * 255: "kept",
        "\N{REPLACEMENT CHARACTER}" * 255: "from a name that is not UTF-8", "deep": {"er": {"still": [1.5, None]}},
        "huge": Decimal("1e99"), "not": Decimal("NaN"),
    }, "half a \ud800 pair\nin two\a lines")
    assert (headers["weight"], headers["half"], headers["long"]) == ("1.5", "a ? pair", "9223372036854775808")
    assert (headers["huge"], headers["not"]) == ("1E+99", "NaN")
    assert headers["deep"] == {"er": {"still": ["1.5", None]}}
    assert headers["\N{REPLACEMENT CHARACTER}" * 85] == "from a name that is not UTF-8"
    assert headers["n" * 255] == "kept"
    assert headers["parked_because"] == "half a ? pair in two? lines"


def test_headers_too_large_to_keep_are_counted_and_the_rest_is_kept() -> None:
    headers = parked({"small": 1, "large": "x" * 99_000, "larger": "x" * 30_000, "mode": "topic"})
    assert (headers["small"], headers["mode"], len(headers["large"])) == (1, "topic", 99_000)
    assert headers["dropped_headers"] == "1 of 4 headers were too large to keep"


def test_an_envelope_that_nobody_could_write_again_does_not_stop_the_copy() -> None:
    odd, wire = "\N{REPLACEMENT CHARACTER}" * 255, Wire()  # 255 bytes that are not UTF-8, as they are read
    properties = Properties(odd, odd, odd, odd, 2**64, odd, odd, "5", persistent=False)
    ladder(wire).park(Delivery("product.topic", 1, "", "", b"\xff", properties), "why", "unreadable")
    sent = wire.sent[0]
    assert (sent.body, sent.properties.persistent, sent.properties.expiration) == (b"\xff", True, None)
    assert (sent.properties.message_id, sent.properties.timestamp) == (odd[:85], None)


def test_a_broker_with_small_frames_gets_the_copy_without_its_headers() -> None:
    class SmallFrames(Wire):
        def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
            if any("large" in message.properties.headers for message in messages):
                raise ValueError("AMQP cannot carry this: headers of 9999 bytes")
            return super().publish(messages, timeout)

    wire = SmallFrames()
    ladder(wire).park(delivery(headers={"large": "x" * 9_000}), "why", "unreadable")
    assert wire.sent[0].properties.headers["parked_because"] == "why"


def test_the_original_is_not_acknowledged_unless_the_copy_is_confirmed() -> None:
    for receipt in (Receipt.RETURNED, Receipt.REFUSED, Receipt.UNKNOWN):
        with pytest.raises(ConnectionLost):
            ladder(Wire(receipt)).park(delivery(), "why", "failed")


def dead(queue: str, reason: str = "delivery_limit", replays: int = 0) -> Delivery:
    headers = {"x-death": [{"queue": queue, "reason": reason}], "replays": replays}
    return delivery("product.dead", headers)


def test_what_the_broker_gave_up_goes_back_to_its_queue() -> None:
    wire = Wire()
    assert ladder(wire).send_back(dead("product.saga")) == "product.saga"
    headers = wire.sent[0].properties.headers
    assert headers["replays"] == 1
    assert headers["failures"][0]["reason"] == "its consumer broke off 1000 times; given up by the broker and sent back"


@pytest.mark.parametrize("given_up", [
    dead("user.topic"), dead("product.saga", reason="expired"), dead("product.saga", replays=MOST_REPLAYS),
    delivery("product.dead"), delivery("product.dead", {"x-death": ["x"]}), delivery("product.dead", {"x-death": []}),
    delivery("product.dead", {"x-death": {"queue": "product.saga"}}),
])
def test_anything_else_in_the_dead_letter_queue_is_parked(given_up: Delivery) -> None:
    wire = Wire()
    assert ladder(wire).send_back(given_up) is None
    assert wire.sent[0].routing_key == "product.parked"


def test_what_expired_is_parked_with_the_queue_it_came_from() -> None:
    wire = Wire()
    ladder(wire).send_back(dead("product.saga", reason="expired"))
    headers = wire.sent[0].properties.headers
    assert (headers["parked_as"], headers["parked_from"]) == ("given up", "product.saga")

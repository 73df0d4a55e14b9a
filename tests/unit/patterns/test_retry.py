"""The retry ladder's copies: what they carry, and where they may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def test_the_brokers_own_headers_stay_behind() -> None:
    wire = Wire()
    ladder(wire).park(delivery(headers={"x-death": ["forged"], "mode": "topic"}), "why")
    assert wire.sent[0].properties.headers == {
        "mode": "topic", "parked_because": "why", "parked_from": "product.topic"}


def test_what_amqp_lets_others_write_is_kept_as_text() -> None:
    wire = Wire()
    ladder(wire).park(delivery(headers={"weight": 1.5, "attempt": 2}), "half a \ud800 pair")
    headers = wire.sent[0].properties.headers
    assert (headers["weight"], headers["attempt"], headers["parked_because"]) == ("1.5", 2, "half a ? pair")


def test_headers_too_large_to_keep_are_dropped_and_the_message_is_kept() -> None:
    wire = Wire()
    ladder(wire).park(delivery(headers={"junk": "x" * 30_000}), "why")
    assert wire.sent[0].body == b"{}"
    assert "junk" not in wire.sent[0].properties.headers


def test_the_original_is_not_acknowledged_unless_the_copy_is_confirmed() -> None:
    for receipt in (Receipt.RETURNED, Receipt.REFUSED, Receipt.UNKNOWN):
        with pytest.raises(ConnectionLost):
            ladder(Wire(receipt)).park(delivery(), "why")


def dead(queue: str, reason: str = "delivery_limit", replays: int = 0) -> Delivery:
    headers = {"x-death": [{"queue": queue, "reason": reason}], "replays": replays}
    return delivery("product.dead", headers)


def test_what_the_broker_gave_up_goes_back_to_its_queue() -> None:
    wire = Wire()
    assert ladder(wire).send_back(dead("product.saga")) == "product.saga"
    assert wire.sent[0].properties.headers == {"replays": 1}


@pytest.mark.parametrize("given_up", [
    dead("user.topic"), dead("product.saga", reason="expired"), dead("product.saga", replays=MOST_REPLAYS),
    delivery("product.dead"), delivery("product.dead", {"x-death": ["x"]}),
])
def test_anything_else_in_the_dead_letter_queue_is_parked(given_up: Delivery) -> None:
    wire = Wire()
    assert ladder(wire).send_back(given_up) is None
    assert wire.sent[0].routing_key == "product.parked"

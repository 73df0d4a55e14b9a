"""What is done for one order leaves all other orders as they are, wherever these are on their way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Row

from patterns.gateway import Verdict
from tests.unit.handlers.workbench import PENCIL, RICH, Workbench, word

Step = tuple[str, str]
"""A handler and what it hears."""

STEPS: dict[str, tuple[Step, ...]] = {
    "product": (
        ("reserve_stock", "OrderPlaced"), ("release_stock", "FundsReleased"), ("sell_stock", "OrderConfirmed")),
    "user": (("hold_funds", "StockReserved"), ("release_funds", "PaymentRefunded"), ("spend_funds", "OrderConfirmed")),
    "payment": (("take_payment", "FundsHeld"), ("refund_payment", "DeliveryCancelled")),
    "delivery": (("schedule_delivery", "PaymentTaken"), ("cancel_delivery", "OrderCancelled")),
    "order": (
        ("place_order", "PlaceOrder"), ("advance", "StockReserved"), ("confirm", "DeliveryScheduled"),
        ("fail", "FundsRejected"), ("cancel", "CancelOrder"), ("close", "StockReleased"), ("unwind", "FundsReleased"),
    ),
    "notification": (("notify", "OrderPlaced"), ("notify", "OrderFailed")),
}


def stories(service: str) -> list[tuple[Step, ...]]:
    """What may have become of an order: one thing, or two."""
    steps = STEPS[service]
    some = [*((one,) for one in steps), *((one, other) for one in steps for other in steps)]
    return [story for story in some if possible(story)]


def possible(story: Sequence[Step]) -> bool:
    """Goods that came back were never sold: where they did, no parcel is on its way."""
    heard = [message for _, message in story]
    return "StockReleased" not in heard or "DeliveryScheduled" not in heard[heard.index("StockReleased"):]


def tell(bench: Workbench, order_id: UUID, story: Sequence[Step]) -> None:
    for handler, message in story:
        more = (Verdict(),) if handler == "take_payment" else ()
        fields = {"mode": "topic"} if message == "OrderCancelled" else {}
        bench.do(handler, word(message, order_id, **fields), *more)


def of_others(bench: Workbench, order_id: UUID) -> list[tuple[str, Row[Any]]]:
    """Every row that is not this order's, nor of the customer and the product that all orders are for."""
    assert PENCIL == RICH == 1
    rows = [(name, row) for name in bench.tables.tables for row in bench.rows(name)]
    return [(name, row) for name, row in rows if _whose(row) not in (order_id, 1)]


def _whose(row: Row[Any]) -> Any:
    return row._mapping["order_id"] if "order_id" in row._mapping else row._mapping.get("id")


@pytest.mark.parametrize("service", STEPS)
def test_what_is_done_for_one_order_is_done_for_no_other(service: str, tmp_path: Path) -> None:
    bench = Workbench(service, tmp_path)
    for story in stories(service):
        tell(bench, uuid4(), story)
    for story in stories(service):
        order_id = uuid4()
        before = of_others(bench, order_id)
        tell(bench, order_id, story)
        assert of_others(bench, order_id) == before, story
    bench.database.close()

"""One order, as it is said: an example of every message of the shop's language, for people and for programs.

Ada (user 1) orders two chairs (product 1) at 49.99 each.
"""

from __future__ import annotations

from typing import Any

from patterns.message import Message
from patterns.place_order import PlaceOrder
from patterns.shop import (
    CancelOrder,
    DeliveryFailed,
    FundsRejected,
    OrderCancelled,
    OrderFailed,
    OrderStatus,
    PaymentFailed,
    Priced,
    StockRejected,
    order_id_for,
)

KEY = "two chairs for Ada"
ORDER_ID = str(order_id_for(1, KEY))
"""Her order's Idempotency-Key, and the id which that key gives it."""

_SAID: dict[str, Any] = {
    "order_id": ORDER_ID, "user_id": 1, "lines": [{"product_id": 1, "quantity": 2}], "amount_cents": 9998,
}
_PRICED = [{"product_id": 1, "quantity": 2, "price_cents": 4999}]

_REASONS: dict[type[Message], str] = {
    StockRejected: "product 1: not enough on the shelf for 2",
    FundsRejected: "user 1 has not enough money",
    PaymentFailed: "the payment gateway declined",
    DeliveryFailed: "the carrier takes no parcel for this order",
    OrderFailed: "user 1 has not enough money",
    CancelOrder: "cancelled by the customer",
    OrderCancelled: "not settled before its deadline",
}


def example(message: type[Message]) -> dict[str, Any]:
    """The body of such a message in the life of that order."""
    if message is PlaceOrder:
        return {"user_id": 1, "items": _SAID["lines"], "amount_cents": 9998}
    if message is OrderStatus:
        return {"order_id": ORDER_ID, "status": "PROCESSING", "reason": None}
    known = {**_SAID, "reason": _REASONS.get(message)}
    if issubclass(message, Priced):
        known["lines"] = _PRICED
    return {name: known[name] for name, field in message.model_fields.items() if not field.exclude}

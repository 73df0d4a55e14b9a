"""A customer is told each kind of news once for an order, in words."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from patterns.shop import OrderFailed
from tests.unit.handlers.workbench import RICH, Workbench, word


@pytest.mark.parametrize(("message", "fields", "text"), [
    ("OrderPlaced", {}, "Thank you: we have your order."),
    ("PaymentTaken", {"amount_cents": 9998}, "Receipt: 99.98 were paid."),
    ("PaymentTaken", {"amount_cents": 105}, "Receipt: 1.05 were paid."),
    ("OrderConfirmed", {}, "Your order is confirmed and on its way."),
    ("OrderFailed", {"reason": "sold out"}, "Your order could not be fulfilled: sold out."),
    ("OrderCancelled", {"reason": "its time is over"}, "Your order is cancelled: its time is over."),
])
def test_each_kind_of_news_has_its_words(
    notification: Workbench, message: str, fields: dict[str, Any], text: str
) -> None:
    news = word(message, **fields)
    assert notification.do("notify", news) == ()
    row = notification.row("notifications", order_id=news.order_id)
    assert row is not None and (row.kind, row.user_id, row.text) == (message, RICH, text)


def test_the_same_news_is_told_once(notification: Workbench) -> None:
    order_id = uuid4()
    for reason in ("sold out", "sold out", "another reason"):
        notification.do("notify", word(OrderFailed, order_id, reason=reason))
    (told,) = notification.rows("notifications", order_id=order_id)
    assert told.text == "Your order could not be fulfilled: sold out."


def test_several_kinds_of_news_are_all_told(notification: Workbench) -> None:
    order_id = uuid4()
    for message in ("OrderPlaced", "PaymentTaken", "OrderConfirmed"):
        notification.do("notify", word(message, order_id))
    kinds = {row.kind for row in notification.rows("notifications", order_id=order_id)}
    assert kinds == {"OrderPlaced", "PaymentTaken", "OrderConfirmed"}

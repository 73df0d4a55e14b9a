"""What each handler does to its tables, in plain SQL, and what it answers: always the way of a successful order."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from lab.bench.bare import texts
from lab.bench.bare.statements import Statements

Body = dict[str, Any]
Answer = tuple[str, Body] | None
Step = Callable[[Statements, str, Body], Answer]

REACHED = {"StockReserved": "STOCK_RESERVED", "FundsHeld": "FUNDS_HELD", "PaymentTaken": "PAYMENT_TAKEN"}

_TEXTS = {
    "OrderPlaced": "Thank you: we have your order.", "PaymentTaken": "Receipt: {} were paid.",
    "OrderConfirmed": "Your order is confirmed and on its way.",
}


def place(sql: Statements, order: Body, mode: str) -> Body:
    """Accept an order; answers the body of OrderPlaced."""
    order_id = order["order_id"]
    fingerprint = hashlib.sha256(repr(order).encode()).hexdigest()
    sql.later(texts.PLACE, order_id, order["user_id"], mode, fingerprint)
    for line in order["lines"]:
        sql.later(texts.ORDER_LINE, order_id, line["product_id"], line["quantity"])
    sql.later(texts.NOTE, order_id, "OrderPlaced", "STARTED")
    return {**order, "amount_cents": None}


def reserve_stock(sql: Statements, _: str, order: Body) -> Answer:
    """Set the goods aside."""
    order_id, lines = order["order_id"], []
    sql.later(texts.RESERVE, order_id, "RESERVED", order["user_id"])
    for line in order["lines"]:
        pieces = line["quantity"]
        [price] = sql.one(texts.FROM_SHELF, pieces, pieces, line["product_id"], pieces)
        lines.append({**line, "price_cents": price})
        sql.later(texts.RESERVED_LINE, order_id, line["product_id"], pieces, price)
    amount = sum(line["price_cents"] * line["quantity"] for line in lines)
    sql.later(texts.RESERVED, amount, order_id)
    return "StockReserved", {"order_id": order_id, "user_id": order["user_id"], "lines": lines, "amount_cents": amount}


def hold_funds(sql: Statements, _: str, order: Body) -> Answer:
    """Set money aside."""
    amount = order["amount_cents"]
    sql.later(texts.HOLD, order["order_id"], "HELD", order["user_id"], amount)
    sql.later(texts.FROM_BALANCE, amount, amount, order["user_id"], amount)
    return "FundsHeld", order


def take_payment(sql: Statements, _: str, order: Body) -> Answer:
    """Capture the payment."""
    sql.later(texts.TAKE, order["order_id"], "TAKEN", order["user_id"], order["amount_cents"])
    return "PaymentTaken", order


def schedule_delivery(sql: Statements, _: str, order: Body) -> Answer:
    """Give the parcel its slot."""
    sql.later(texts.SCHEDULE, order["order_id"], "SCHEDULED", order["user_id"])
    return "DeliveryScheduled", order


def advance(sql: Statements, event: str, order: Body) -> Answer:
    """Pass a step on to the next, as the orchestrator does."""
    sql.later(texts.ADVANCE, REACHED[event], order["order_id"])
    sql.later(texts.NOTE, order["order_id"], event, REACHED[event])
    return event, order


def confirm(sql: Statements, event: str, order: Body) -> Answer:
    """End the order as a success."""
    sql.later(texts.CONFIRM, order["amount_cents"], order["order_id"])
    sql.later(texts.NOTE, order["order_id"], event, "COMPLETED")
    return "OrderConfirmed", {"order_id": order["order_id"], "user_id": order["user_id"]}


def sell_stock(sql: Statements, _: str, order: Body) -> Answer:
    """Turn reserved goods into sold goods."""
    sql.later(texts.SELL, order["order_id"])
    for product, pieces, _price in sql.rows(texts.LINES, order["order_id"]):
        sql.later(texts.FROM_RESERVED, pieces, pieces, product)
    return None


def spend_funds(sql: Statements, _: str, order: Body) -> Answer:
    """Turn held money into spent money."""
    user_id, amount = sql.one(texts.SPEND, order["order_id"])
    sql.later(texts.FROM_HELD, amount, amount, user_id)
    return None


def notify(sql: Statements, kind: str, order: Body) -> Answer:
    """Tell the customer."""
    news = str(uuid.uuid5(uuid.UUID(order["order_id"]), kind))
    sql.later(texts.TELL, news, order["order_id"], kind, order["user_id"], _TEXTS[kind].format(order.get("amount_cents")))
    return None


STEPS: dict[str, Step] = {step.__name__: step for step in (
    reserve_stock, hold_funds, take_payment, schedule_delivery, advance, confirm, sell_stock, spend_funds, notify)}


def lock(cursor: Any, service: str, bodies: Sequence[Body]) -> None:
    """Lock the rows that several orders share, for all messages of a transaction at once, as ours does."""
    orders = tuple(body["order_id"] for body in bodies)
    if service == "product":
        named = {line["product_id"] for body in bodies for line in body.get("lines", ())}
        cursor.execute("SELECT product_id FROM reservation_lines WHERE order_id IN %s", (orders,))
        table = "products"
    else:
        named = {body["user_id"] for body in bodies if "user_id" in body}
        cursor.execute("SELECT user_id FROM holds WHERE order_id IN %s AND user_id IS NOT NULL", (orders,))
        table = "users"
    named.update(row[0] for row in cursor.fetchall())
    cursor.execute(f"SELECT id FROM {table} WHERE id IN %s ORDER BY id FOR UPDATE", (tuple(named),))


def ask_gateway(seconds: float) -> None:
    """As long as the simulated payment gateway takes."""
    if seconds:
        time.sleep(seconds)


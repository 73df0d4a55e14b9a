"""What each handler does to its tables, in plain SQL, and what it answers: always the way of a successful order."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

NOW = "extract(epoch from statement_timestamp())::double precision"

Body = dict[str, Any]
Answer = tuple[str, Body] | None
Step = Callable[[Any, str, Body], Answer]

REACHED = {"StockReserved": "STOCK_RESERVED", "FundsHeld": "FUNDS_HELD", "PaymentTaken": "PAYMENT_TAKEN"}

_STEP = "INSERT INTO {} (order_id, state, begun_at, changed_at, {}) VALUES (%s, %s, {}, {}, %s{}) ON CONFLICT DO NOTHING"
_RESERVE = _STEP.format("reservations", "user_id", NOW, NOW, "")
_HOLD = _STEP.format("holds", "user_id, amount_cents", NOW, NOW, ", %s")
_TAKE = _STEP.format("payments", "user_id, amount_cents, reason", NOW, NOW, ", %s, NULL")
_SCHEDULE = _STEP.format("deliveries", "user_id, reason", NOW, NOW, ", NULL")
_NOTE = f"INSERT INTO history (order_id, happened_at, event, saga_state, reason) VALUES (%s, {NOW}, %s, %s, NULL)"
_LINES = "SELECT product_id, quantity, price_cents FROM reservation_lines WHERE order_id IN (%s) ORDER BY product_id"
_TEXTS = {
    "OrderPlaced": "Thank you: we have your order.", "PaymentTaken": "Receipt: {} were paid.",
    "OrderConfirmed": "Your order is confirmed and on its way.",
}


class Refused(Exception):
    """A guard did not hold: a benchmark's orders all succeed, so something is wrong with it."""


def place(cursor: Any, order: Body, mode: str) -> Body:
    """Accept an order; answers the body of OrderPlaced."""
    order_id = order["order_id"]
    fingerprint = hashlib.sha256(repr(order).encode()).hexdigest()
    _once(cursor, "INSERT INTO orders (id, user_id, mode, fingerprint, status, saga_state, placed_at, deadline_at) VALUES"
          f" (%s, %s, %s, %s, 'PROCESSING', 'STARTED', {NOW}, {NOW} + 3600) ON CONFLICT DO NOTHING",
          order_id, order["user_id"], mode, fingerprint)
    cursor.execute("INSERT INTO order_lines (order_id, product_id, quantity) VALUES " + ", ".join(
        ["(%s, %s, %s)"] * len(order["lines"])), [
            value for line in order["lines"] for value in (order_id, line["product_id"], line["quantity"])])
    cursor.execute(_NOTE, (order_id, "OrderPlaced", "STARTED"))
    return {**order, "amount_cents": None}


def reserve_stock(cursor: Any, _: str, order: Body) -> Answer:
    """Set the goods aside."""
    order_id = order["order_id"]
    _once(cursor, _RESERVE, order_id, "RESERVED", order["user_id"])
    rows, amount = [], 0
    for line in order["lines"]:
        pieces = line["quantity"]
        _once(cursor, "UPDATE products SET shelf = shelf - %s, reserved = reserved + %s WHERE id = %s AND shelf >= %s"
              " RETURNING price_cents", pieces, pieces, line["product_id"], pieces)
        price = cursor.fetchone()[0]
        amount += price * line["quantity"]
        rows += [order_id, line["product_id"], line["quantity"], price]
    cursor.execute("INSERT INTO reservation_lines (order_id, product_id, quantity, price_cents) VALUES "
                   + ", ".join(["(%s, %s, %s, %s)"] * (len(rows) // 4)), rows)
    _once(cursor, f"UPDATE reservations SET amount_cents = %s, changed_at = {NOW}"
          " WHERE order_id = %s AND state = 'RESERVED'", amount, order_id)
    found = _lines(cursor, order_id)
    lines = [{"product_id": product, "quantity": pieces, "price_cents": price} for product, pieces, price in found]
    return "StockReserved", {"order_id": order_id, "user_id": order["user_id"], "lines": lines, "amount_cents": amount}


def hold_funds(cursor: Any, _: str, order: Body) -> Answer:
    """Set money aside."""
    amount = order["amount_cents"]
    _once(cursor, _HOLD, order["order_id"], "HELD", order["user_id"], amount)
    _once(cursor, "UPDATE users SET balance_cents = balance_cents - %s, held_cents = held_cents + %s"
          " WHERE id = %s AND balance_cents >= %s", amount, amount, order["user_id"], amount)
    return "FundsHeld", order


def take_payment(cursor: Any, _: str, order: Body) -> Answer:
    """Capture the payment."""
    _once(cursor, _TAKE, order["order_id"], "TAKEN", order["user_id"], order["amount_cents"])
    return "PaymentTaken", order


def schedule_delivery(cursor: Any, _: str, order: Body) -> Answer:
    """Give the parcel its slot."""
    _once(cursor, _SCHEDULE, order["order_id"], "SCHEDULED", order["user_id"])
    return "DeliveryScheduled", order


def advance(cursor: Any, event: str, order: Body) -> Answer:
    """Pass a step on to the next, as the orchestrator does."""
    state = REACHED[event]
    _once(cursor, "UPDATE orders SET saga_state = %s WHERE id = %s AND status = 'PROCESSING'", state, order["order_id"])
    cursor.execute(_NOTE, (order["order_id"], event, state))
    return event, order


def confirm(cursor: Any, event: str, order: Body) -> Answer:
    """End the order as a success."""
    _once(cursor, f"UPDATE orders SET status = 'SUCCESS', saga_state = 'COMPLETED', amount_cents = %s, settled_at = {NOW}"
          " WHERE id = %s AND status = 'PROCESSING' RETURNING user_id", order["amount_cents"], order["order_id"])
    user_id = cursor.fetchone()[0]
    cursor.execute(_NOTE, (order["order_id"], event, "COMPLETED"))
    return "OrderConfirmed", {"order_id": order["order_id"], "user_id": user_id}


def sell_stock(cursor: Any, _: str, order: Body) -> Answer:
    """Turn reserved goods into sold goods."""
    _once(cursor, f"UPDATE reservations SET state = 'SOLD', changed_at = {NOW} WHERE order_id = %s AND state = 'RESERVED'",
          order["order_id"])
    for product_id, quantity, _price in _lines(cursor, order["order_id"]):
        _once(cursor, "UPDATE products SET reserved = reserved - %s, sold = sold + %s WHERE id = %s",
              quantity, quantity, product_id)
    return None


def spend_funds(cursor: Any, _: str, order: Body) -> Answer:
    """Turn held money into spent money."""
    _once(cursor, f"UPDATE holds SET state = 'SPENT', changed_at = {NOW} WHERE order_id = %s AND state = 'HELD'"
          " RETURNING user_id, amount_cents", order["order_id"])
    user_id, amount = cursor.fetchone()
    _once(cursor, "UPDATE users SET held_cents = held_cents - %s, spent_cents = spent_cents + %s WHERE id = %s",
          amount, amount, user_id)
    return None


def notify(cursor: Any, kind: str, order: Body) -> Answer:
    """Tell the customer."""
    text = _TEXTS[kind].format(order.get("amount_cents"))
    _once(cursor, "INSERT INTO notifications (id, order_id, kind, user_id, text, told_at)"
          f" VALUES (%s, %s, %s, %s, %s, {NOW}) ON CONFLICT DO NOTHING",
          str(uuid.uuid5(uuid.UUID(order["order_id"]), kind)), order["order_id"], kind, order["user_id"], text)
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


def _lines(cursor: Any, order_id: str) -> list[tuple[int, int, int]]:
    cursor.execute(_LINES, (order_id,))
    return list(cursor.fetchall())


def _once(cursor: Any, statement: str, *values: Any) -> None:
    cursor.execute(statement, values)
    if cursor.rowcount != 1:
        raise Refused(f"{cursor.rowcount} rows instead of one: {statement} {values}")

"""Settled orders of the past: the rows that this many orders of mode topic leave in every table, journals included.

A server makes them from a series of numbers and sends them (``COPY … TO``) while another connection takes them in
(``COPY … FROM``), so that nobody holds them all, and it takes minutes, not hours, for a million orders.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.bench.plan import CUSTOMERS, PRODUCTS
from lab.shop import wirings_in
from patterns.address import Answer
from patterns.flow_walk import forward
from patterns.hops import hops
from patterns.shop import SERVICES

PRICE = 1999
"""Of one piece of anything, in cents; an order of the past was for one."""

MODE = "topic"
ID, NEWS_ID = "md5('order ' || i)::uuid", "md5('{} ' || i)::uuid"
USER, PRODUCT = f"1 + i % {CUSTOMERS}", f"1 + i % {PRODUCTS}"
AT = "extract(epoch from now()) - 86400 + i * 0.001"


@dataclass(frozen=True)
class Rows:
    """Rows of a table: a query that answers them, and where they go, as ``table (column, …)``."""

    into: str
    query: str


def past(orders: int) -> dict[str, list[Rows]]:
    """What stands in the tables then, by service."""
    series = f"FROM generate_series(1, {orders}) i"
    made: dict[str, list[Rows]] = {service: _journal(service, series) for service in SERVICES}
    made["order"] += [
        _rows("orders (id, user_id, mode, status, saga_state, amount_cents, fingerprint, placed_at, deadline_at,"
              " settled_at)",
              f"{ID}, {USER}, '{MODE}', 'SUCCESS', 'COMPLETED', {PRICE}, md5(i::text), {AT}, {AT} + 30, {AT} + 1", series),
        _rows("order_lines (order_id, product_id, quantity)", f"{ID}, {PRODUCT}, 1", series),
        *(_rows("history (order_id, happened_at, event, saga_state)", f"{ID}, {AT}, '{event}', '{state}'", series)
          for event, state in (("OrderPlaced", "STARTED"), ("DeliveryScheduled", "COMPLETED"))),
    ]
    made["product"] += [
        _step("reservations", "SOLD", "amount_cents", str(PRICE), series),
        _rows("reservation_lines (order_id, product_id, quantity, price_cents)", f"{ID}, {PRODUCT}, 1, {PRICE}", series),
    ]
    made["user"] += [
        _step("holds", "SPENT", "amount_cents", str(PRICE), series),
    ]
    made["payment"].append(_step("payments", "TAKEN", "amount_cents", str(PRICE), series))
    made["delivery"].append(_step("deliveries", "SCHEDULED", "reason", "NULL", series))
    made["notification"] += [
        _rows("notifications (id, order_id, kind, user_id, text, told_at)",
              f"{NEWS_ID.format(kind)}, {ID}, '{kind}', {USER}, 'Thank you.', {AT}", series)
        for kind in ("OrderPlaced", "PaymentTaken", "OrderConfirmed")
    ]
    return made


BOOKED = {
    "product": "UPDATE products SET shelf = shelf - sum, sold = sum FROM (SELECT product_id AS of, count(*) AS sum"
               " FROM reservation_lines GROUP BY 1) AS sold_before WHERE id = of",
    "user": "UPDATE users SET balance_cents = balance_cents - sum, spent_cents = sum FROM (SELECT user_id AS of,"
            " sum(amount_cents) AS sum FROM holds GROUP BY 1) AS spent_before WHERE id = of",
}
"""What books these orders with goods and money, in an otherwise empty shop."""


def _journal(service: str, series: str) -> list[Rows]:
    """What the service heard and said about each of them."""
    path = forward(hops(wirings_in(MODE)))
    heard = {(hop.message.__name__, hop.speaker, hop.handler.__name__) for hop in path if hop.listener == service}
    said = {(hop.message.__name__, str(hop.address), *hop.address.target(None)) for hop in path
            if hop.speaker == service and not isinstance(hop.address, Answer)}
    return [
        _rows("inbox (service, message_id, order_id, type, mode, queue, handler, sender, heard_at)",
              f"'{service}', {NEWS_ID.format(type_)}, {ID}, '{type_}', '{MODE}', '{service}.{MODE}', '{handler}',"
              f" '{sender}', {AT}", series)
        for type_, sender, handler in sorted(heard)
    ] + [
        _rows("outbox (message_id, order_id, type, mode, address, exchange, routing_key, body, headers, correlation_id,"
              " awaits_answer, said_at, due_at, attempts, sent_at)",
              f"{NEWS_ID.format(type_)}, {ID}, '{type_}', '{MODE}', '{address}', '{exchange}', '{key}',"
              f" repeat('x', 250), '{{}}', md5(i::text), false, {AT}, {AT}, 0, {AT}", series)
        for type_, address, exchange, key in sorted(said)
    ]


def _step(table: str, state: str, column: str, value: str, series: str) -> Rows:
    columns = f"{table} (order_id, state, begun_at, changed_at, user_id, {column})"
    return _rows(columns, f"{ID}, '{state}', {AT}, {AT}, {USER}, {value}", series)


def _rows(columns: str, values: str, series: str) -> Rows:
    return Rows(columns, f"SELECT {values} {series}")

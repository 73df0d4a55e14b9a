"""The books of the shop: every row that a promise speaks of, read from all six databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, select

from patterns.database import Database

Rows = dict[UUID, Any]


@dataclass(frozen=True)
class Books:
    """Rows by order for the step tables; plain rows for accounts and shelves."""

    orders: Rows
    reservations: Rows
    holds: Rows
    payments: Rows
    deliveries: Rows
    users: list[Any]
    products: list[Any]
    deposits: dict[int, int]  # cents paid in, by user
    reserved: dict[tuple[int, str], int]  # pieces by product and by the state of their reservation
    told: dict[UUID, set[str]]  # kinds of news, by order


def database_of(service: str) -> Database:
    """A service's own database, as the service itself reads it."""
    database: Database = import_module(f"{service}.database").database
    return database


def open_books(databases: Callable[[str], Database] = database_of) -> Books:
    """Read everything.  Each database is read at one moment, but not all at the same one."""
    from delivery.models import deliveries
    from notification.models import notifications
    from order.models import orders
    from payment.models import payments
    from product.models import products, reservation_lines, reservations
    from user.models import deposits, holds, users

    def rows(service: str, table: Table) -> list[Any]:
        return databases(service).read(lambda session: list(session.execute(table.select())))

    def by_order(service: str, table: Table, key: str = "order_id") -> Rows:
        return {getattr(row, key): row for row in rows(service, table)}

    paid_in = select(deposits.c.user_id, func.sum(deposits.c.amount_cents)).group_by(deposits.c.user_id)
    pieces = (
        select(reservation_lines.c.product_id, reservations.c.state, func.sum(reservation_lines.c.quantity))
        .join(reservations, reservations.c.order_id == reservation_lines.c.order_id)
        .group_by(reservation_lines.c.product_id, reservations.c.state)
    )
    told: dict[UUID, set[str]] = {}
    for row in rows("notification", notifications):
        told.setdefault(row.order_id, set()).add(row.kind)
    return Books(
        orders=by_order("order", orders, "id"), reservations=by_order("product", reservations),
        holds=by_order("user", holds), payments=by_order("payment", payments),
        deliveries=by_order("delivery", deliveries), users=rows("user", users), products=rows("product", products),
        deposits=databases("user").read(lambda session: {user: int(sum_) for user, sum_ in session.execute(paid_in)}),
        reserved=databases("product").read(
            lambda session: {(product, state): int(sum_) for product, state, sum_ in session.execute(pieces)}
        ),
        told=told,
    )

"""The books of the shop: every row that a promise speaks of, read from all six databases."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, func, select

from patterns.database import Database
from patterns.shop import SERVICES

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


def open_books(
    databases: Callable[[str], Database] = database_of, services: Collection[str] = SERVICES
) -> Books:
    """Read everything, or what these services have.  Each database is read at one moment, but not all at the same one."""
    from delivery.models import deliveries
    from notification.models import notifications
    from order.models import orders
    from payment.models import payments
    from product.models import products, reservation_lines, reservations
    from user.models import deposits, holds, users

    def found(service: str, query: Select[Any]) -> list[Any]:
        return databases(service).read(lambda session: list(session.execute(query))) if service in services else []

    def rows(service: str, table: Table) -> list[Any]:
        return found(service, table.select())

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
        deposits={user: int(sum_) for user, sum_ in found("user", paid_in)},
        reserved={(product, state): int(sum_) for product, state, sum_ in found("product", pieces)},
        told=told,
    )

"""Locking: rows that several orders share, the smallest id first, so that transactions wait for each other in one order."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, select

from patterns.database import Session
from patterns.sql import among


def of_orders(session: Session, column: Column[Any], orders: Collection[UUID]) -> set[Any]:
    """What a column of a table with an ``order_id`` holds for these orders."""
    return set(session.execute(_of_orders(session.dialect.name, column), {"orders": list(orders)}).scalars())


def lock(session: Session, table: Table, ids: Collection[int]) -> None:
    """Lock these rows of a table until the transaction ends."""
    session.execute(_locking(session.dialect.name, table), {"wanted": list(ids)})


# Made once: making a statement costs more than running it.


@cache
def _of_orders(dialect: str, column: Column[Any]) -> Any:
    return select(column).where(among(dialect, column.table.c.order_id, "orders"))


@cache
def _locking(dialect: str, table: Table) -> Any:
    return select(table.c.id).where(among(dialect, table.c.id, "wanted")).order_by(table.c.id).with_for_update()

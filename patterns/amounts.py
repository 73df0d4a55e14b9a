"""Amounts: money or goods of one row, moved from one of its columns to another, so that their sum stays.

::

    shelf ──reserve──> reserved ──sell──> sold          balance ──hold──> held ──spend──> spent
      ^──────release──────'                                ^─────release────'

One statement that carries its own guard, ``UPDATE … WHERE shelf >= :amount``: never a SELECT followed by a write.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Row, Table, bindparam, update

from patterns.database import Session


def transfer(session: Session, table: Table, row_id: int, source: str, target: str, amount: int) -> None:
    """Move an amount between two columns of a row.

    Whoever calls knows that it is there, and does not wait to hear so; the table's constraint raises where it is not.
    """
    session.execute(_moving(table, source, target), {"row": row_id, "amount": amount})


def transfer_if_enough(
    session: Session, table: Table, row_id: int, source: str, target: str, amount: int
) -> Row[Any] | None:
    """Move an amount if there is so much in ``source``; answers the row, or None where there is less, or no such row."""
    return session.execute(_moving_if_enough(table, source, target), {"row": row_id, "amount": amount}).one_or_none()


# Made once: making a statement costs more than running it.

_AMOUNT: BindParameter[int] = bindparam("amount")


@cache
def _moving(table: Table, source: str, target: str) -> Any:
    moved = {source: table.c[source] - _AMOUNT, target: table.c[target] + _AMOUNT}
    return update(table).where(table.c.id == bindparam("row")).values(moved)


@cache
def _moving_if_enough(table: Table, source: str, target: str) -> Any:
    return _moving(table, source, target).where(table.c[source] >= _AMOUNT).returning(table)

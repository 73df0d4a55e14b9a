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


def transfer(
    session: Session, table: Table, row_id: int, source: str, target: str, amount: int, *, guarded: bool = False
) -> Row[Any] | None:
    """Move an amount between two columns of a row; answers the row, or None where there is none.

    ``guarded``: None as well when there is less than that in ``source``.  Without it whoever calls knows that it is
    there, and the table's constraint raises where it is not.
    """
    moving = _moving(table, source, target, guarded)
    return session.execute(moving, {"row": row_id, "amount": amount}).one_or_none()


@cache
def _moving(table: Table, source: str, target: str, guarded: bool) -> Any:
    """The statement, made once: making it costs more than running it."""
    amount: BindParameter[int] = bindparam("amount")
    guard = [table.c[source] >= amount] if guarded else []
    moved = update(table).where(table.c.id == bindparam("row"), *guard)
    return moved.values({source: table.c[source] - amount, target: table.c[target] + amount}).returning(table)

"""Remove a row that other tables may speak of: only if, at that moment, none does."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, delete, select

from patterns.database import Session


def remove(session: Session, table: Table, key: int, *unless_needed: ColumnElement[bool]) -> bool:
    """Delete the row with this id if these conditions hold; says whether it did.

    The row is locked first, by a statement of its own.  Under READ COMMITTED a DELETE that had to wait for another
    transaction judges its own row as that left it, but other tables as they were before the wait: a row that came
    into one of them meanwhile would be overlooked.  A statement that begins once the lock is held sees it
    (https://www.postgresql.org/docs/15/transaction-iso.html#XACT-READ-COMMITTED).  So whoever writes elsewhere about this
    row must change or lock it in the same transaction.
    """
    session.execute(select(table.c.id).where(table.c.id == key).with_for_update())
    return session.execute(delete(table).where(table.c.id == key, *unless_needed)).rowcount == 1

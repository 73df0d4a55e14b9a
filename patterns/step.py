"""Do it once, undo it once: one row for each order and step, whose state only guarded statements change.

::

    – ──begin──> DONE ──move──> UNDONE or FINISHED
    │             (a duplicate request finds the row, and yields the stored answer)
    └──undo───> VOID     a tombstone: undone before it was done; a late request finds it and is refused

Every transition is one statement that carries its own guard (a unique insert, or ``UPDATE … WHERE state = …``), judged
by its row count: never a SELECT followed by a write, which two transactions can interleave.  Such guards hold under
READ COMMITTED; see *Patterns of Enterprise Application Architecture*, "Optimistic Offline Lock", for the idea.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    MetaData,
    Row,
    String,
    Table,
    Uuid,
    bindparam,
    select,
    update,
)
from sqlalchemy.sql.schema import SchemaItem

from patterns.database import Session, insert_for, now
from patterns.sql import Clocked, beside_key, timed, times

VOID = "VOID"

KEEP_ROWCOUNT = {"preserve_rowcount": True}
"""Without this option SQLAlchemy keeps the row count of updates and deletes only."""


def step_table(name: str, metadata: MetaData, states: tuple[str, ...], *columns: SchemaItem) -> Table:
    """A table of steps: the order is its key, ``state`` one of the given ones or VOID."""
    known = ", ".join(f"'{state}'" for state in (*states, VOID))
    return Table(
        name, metadata,
        Column("order_id", Uuid, primary_key=True),
        Column("state", String(10), nullable=False),
        Column("reason", String(500)),
        Column("begun_at", Double, nullable=False),
        Column("changed_at", Double, nullable=False),
        *columns,
        CheckConstraint(f"state IN ({known})", name=f"{name}_state"),
    )


def insert_once(session: Session, table: Table, **values: Any) -> bool:
    """Insert a row unless its key is there already; says whether it was inserted.

    Waits for a concurrent transaction that inserts the same key, and then knows.  ``now()`` may stand for a value.
    """
    plain, clocked = timed(values)
    statement = _inserting(session.dialect.name, table, clocked, once=True)
    return session.execute(statement, plain, execution_options=KEEP_ROWCOUNT).rowcount == 1


def insert(session: Session, table: Table, **values: Any) -> None:
    """Insert a row.  ``now()`` may stand for a value."""
    plain, clocked = timed(values)
    session.execute(_inserting(session.dialect.name, table, clocked, once=False), plain)


def begin(session: Session, steps: Table, order_id: UUID, state: str, **values: Any) -> bool:
    """Write the step's row; False when the step was begun, or made void, before."""
    return insert_once(session, steps, order_id=order_id, state=state, begun_at=now(), changed_at=now(), **values)


def move(session: Session, steps: Table, order_id: UUID, before: str, after: str, **values: Any) -> Row[Any] | None:
    """Change the state from ``before`` to ``after``; answers the changed row, or None when it was not so."""
    known = {"known_order": order_id, "known_state": before, "state": after, **values}
    return session.execute(_moving(steps), known).one_or_none()


def amend(session: Session, steps: Table, order_id: UUID, before: str, after: str, **values: Any) -> None:
    """Change a step that this very transaction has begun: it is as it was left, and nobody waits to hear so."""
    session.execute(_changing(steps), {"known_order": order_id, "known_state": before, "state": after, **values})


def undo(session: Session, steps: Table, order_id: UUID, before: str, after: str) -> Row[Any] | None:
    """Undo a step: answers its row when it was done and now is not; else leaves a tombstone, or what is there."""
    if begin(session, steps, order_id, VOID):
        return None
    return move(session, steps, order_id, before, after)


def refusal(session: Session, steps: Table, order_id: UUID, done: tuple[str, ...]) -> str | None:
    """The stored answer to a duplicate request: None when the step is done, else why it is not."""
    row = session.execute(_standing(steps), {"known_order": order_id}).one()
    return None if row.state in done else row.reason or "the order was undone before"


# Statements are made once for each table: making one costs more than running it.


@cache
def _inserting(dialect: str, table: Table, clocked: Clocked, *, once: bool) -> Any:
    statement = insert_for(dialect)(table).values(times(clocked)).inline()
    return statement.on_conflict_do_nothing() if once else statement


@cache
def _standing(steps: Table) -> Any:
    return select(steps.c.state, steps.c.reason).where(steps.c.order_id == bindparam("known_order"))


@cache
def _changing(steps: Table) -> Any:
    """Parameters that are called like columns are what these are set to."""
    known = (steps.c.order_id == bindparam("known_order"), beside_key(steps.c.state) == bindparam("known_state"))
    return update(steps).where(*known).values(changed_at=now())


@cache
def _moving(steps: Table) -> Any:
    return _changing(steps).returning(steps)

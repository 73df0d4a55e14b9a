"""Many: one statement with many parameters, in one round trip, and what each of them answered.

SQLAlchemy's own way to execute one statement many times tells only how many rows were touched in all.  Guards are judged
by the row count of each, so here every execution keeps its answer: on PostgreSQL sent together (:mod:`patterns.quick`), on
SQLite one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Row,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    column,
    event,
    func,
    select,
)
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData

from patterns.sql import Clocked, insert_for, times

_KEPT = "orderflow_many"
"""The execution option with the list for what each answered."""


class Answered(IteratorResult[Any]):
    """What one of many answered: its rows, and how many it touched."""

    def __init__(self, columns: SimpleResultMetaData, rows: Sequence[Any], rowcount: int) -> None:
        super().__init__(columns, iter(rows))
        self.rowcount = rowcount


def execute_many(session: Connection, statement: Executable, many: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    """Execute a statement once for each of these parameters, in this order; answers what each answered."""
    if session.dialect.name == "postgresql":
        return [session.execute(statement, one) for one in many]  # they are sent together (patterns/quick.py)
    kept: list[Answered] = []
    session.execute(statement, many, execution_options={_KEPT: kept}).close()
    return kept


def insert_new(
    session: Connection, rows: Sequence[Mapping[str, Any]], key: Column[Any], clocked: Clocked = ()
) -> Iterable[Row[Any]]:
    """Insert these rows at once, but for those that are there already; answers the ``key`` of each that is new.

    ``clocked``: columns that are so many seconds after now.  Several rows go to PostgreSQL as one parameter, in JSON: a
    statement with hundreds of parameters takes longer to read than to execute.
    """
    postgresql = session.dialect.name == "postgresql"
    together = postgresql and len(rows) > 1
    inserting = _inserting(session.dialect.name, key, tuple(rows[0]), clocked, together)
    given = {"rows": rows} if together else rows if len(rows) > 1 else rows[0]
    inserted: CursorResult[Any] = session.execute(inserting, given)
    return inserted if postgresql else inserted.all()  # SQLite's answers end with the transaction


class _Rows(TypeDecorator[Any]):
    """Rows as a JSON array of objects."""

    impl, cache_ok = Text, True

    def process_bind_param(self, value: Any, dialect: Any) -> str:  # noqa: ARG002 (SQLAlchemy passes it)
        return json.dumps(value, default=str)


@cache
def _inserting(dialect: str, key: Column[Any], columns: tuple[str, ...], clocked: Clocked, together: bool) -> Any:
    table, moments = key.table, times(clocked)
    inserting = insert_for(dialect)(table)
    if together:
        read = func.json_to_recordset(cast(bindparam("rows", type_=_Rows), JSON))
        rows = read.table_valued(*(column(name, table.c[name].type) for name in columns)).render_derived(with_types=True)
        inserting = inserting.from_select(
            [*columns, *moments], select(*(rows.c[name] for name in columns), *moments.values()))
    else:
        inserting = inserting.values(moments)
    return inserting.on_conflict_do_nothing().returning(key)


def know_many(engine: Engine) -> None:
    """Let an engine's connections keep what each of many answered."""
    engine.dialect.update_executemany_returning = True  # one_by_one() sees to it
    event.listen(engine, "do_executemany", one_by_one)


def one_by_one(cursor: Any, statement: str, parameters: Sequence[Any], context: Any) -> bool:
    """SQLAlchemy's ``do_executemany``, each by itself; False when nobody asked for what each answered."""
    kept: list[Answered] | None = context.execution_options.get(_KEPT)
    if kept is None:
        return False
    columns: SimpleResultMetaData | None = None
    for one in parameters:
        cursor.execute(statement, one)
        # One statement, the same columns each time: to ask for them again costs more than the rows.
        columns = columns or SimpleResultMetaData([described[0] for described in cursor.description or ()])
        kept.append(Answered(columns, cursor.fetchall(), cursor.rowcount))
    return True

"""Many: rows that are put in at once, those of them that are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Row

from patterns.sql import Clocked, given_rows, insert_for, times


def insert_new(
    session: Connection, rows: Sequence[Mapping[str, Any]], key: Column[Any], clocked: Clocked = ()
) -> Iterable[Row[Any]]:
    """Insert these rows at once, but for those that are there already; answers the ``key`` of each that is new.

    ``clocked``: columns that are so many seconds after now.  Several rows are one parameter, in JSON: a statement with
    hundreds of parameters takes longer to read than to execute.
    """
    several = len(rows) > 1
    inserting = _inserting(session.dialect.name, key, tuple(rows[0]), clocked, several)
    return session.execute(inserting, {"rows": rows} if several else rows[0])


@cache
def _inserting(dialect: str, key: Column[Any], columns: tuple[str, ...], clocked: Clocked, several: bool) -> Any:
    table, moments = key.table, times(clocked)
    inserting = insert_for(dialect)(table)
    if several:
        rows = given_rows(dialect, table, columns, "rows").add_columns(*moments.values())
        inserting = inserting.from_select([*columns, *moments], rows)
    else:
        inserting = inserting.values(moments)
    return inserting.on_conflict_do_nothing().returning(key)

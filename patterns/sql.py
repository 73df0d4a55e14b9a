"""What two databases say differently: the time, and an INSERT that may find its row there already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Double,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

MAX_ID = 2**53 - 1
"""The largest id: the largest integer that every reader of JSON reads exactly (RFC 7493, 2.2); a BIGINT holds more."""


class Moment(FunctionElement[float]):
    """The database's clock, so many seconds later."""

    type = Double()
    inherit_cache = True

    def __init__(self, later: float = 0) -> None:
        super().__init__(*([float(later)] if later else []))
        self.later = later


@lru_cache(maxsize=100)
def now(later: float = 0) -> Moment:
    """The database's clock, in seconds since 1970; ``now(30)`` is half a minute later.

    Each is made once: several stand in every transaction, and making one took as long as a tenth of placing an order.
    """
    return Moment(later)


_IDS: Mapping[str, Callable[[Any], Any]] = {"postgresql": str, "sqlite": attrgetter("hex")}
"""How an id is written."""


class _InJson(TypeDecorator[Any]):
    """Many values as one parameter; ids are written as they stand in the tables."""

    impl, cache_ok = Text, True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        return json.dumps(value, default=_IDS[dialect.name])


class _InRows(_InJson):
    """Rows without the names of their columns, which SQLite would look for in each."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        return super().process_bind_param([tuple(row.values()) for row in value], dialect)


def among(dialect: str, column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether a column's value is one of the parameter's: of an array where there are arrays, else of a list in JSON."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    return column.in_(select(func.json_each(bindparam(name, type_=_InJson)).table_valued("value").c.value))


def given_rows(dialect: str, table: Table, columns: Sequence[str], name: str) -> Select[Any]:
    """These columns of rows for a table, which are the parameter of this name, in JSON; each row has them in this order."""
    if dialect == "postgresql":
        read = func.json_to_recordset(cast(bindparam(name, type_=_InJson), JSON))
        rows = read.table_valued(*(column(one, table.c[one].type) for one in columns)).render_derived(with_types=True)
        return select(*(rows.c[one] for one in columns))
    each = func.json_each(bindparam(name, type_=_InRows)).table_valued("value").c.value
    found = (func.json_extract(each, literal_column(f"'$[{place}]'")) for place in range(len(columns)))
    return select(*found).where(true())  # else SQLite reads ON CONFLICT as what two tables are joined on


def beside_key(column: Column[Any]) -> ColumnElement[Any]:
    """A column in a guard beside a key, in words that no index serves: the row is to be found by the key.

    PostgreSQL goes by what it knew at the last ANALYZE.  If no order was open then, it would take the index of open orders
    for the shortest way to one of them, and go through a whole backlog for each.
    """
    nothing: ColumnElement[Any] = literal_column("''" if isinstance(column.type, String) else "0")
    return column + nothing


Clocked = tuple[tuple[str, float], ...]
"""Columns that are so many seconds after ``now()``."""


def timed(values: Mapping[str, Any]) -> tuple[dict[str, Any], Clocked]:
    """Values apart: those to hand over as parameters, and which are so many seconds after ``now()``."""
    plain = {name: value for name, value in values.items() if not isinstance(value, Moment)}
    return plain, tuple((name, value.later) for name, value in values.items() if isinstance(value, Moment))


def times(clocked: Clocked) -> dict[str, Moment]:
    """These columns' values, for a statement that is made once."""
    return {name: now(later) for name, later in clocked}


@compiles(Moment, "postgresql")
def _now_postgresql(element: Moment, compiler: SQLCompiler, **options: Any) -> str:
    # The statement's time is stable within it, so that an index on a time can be used.
    return _later("CAST(extract(epoch from statement_timestamp()) AS double precision)", element, compiler, options)


@compiles(Moment, "sqlite")
def _now_sqlite(element: Moment, compiler: SQLCompiler, **options: Any) -> str:
    return _later("orderflow_now()", element, compiler, options)


def _later(clock: str, element: Moment, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    return f"({clock} + {compiler.process(element.clauses, **options)})" if element.later else clock


def insert_for(dialect: str) -> Callable[[Table], Any]:
    """INSERT as this database knows it: with ``on_conflict_do_nothing``."""
    return postgresql.insert if dialect == "postgresql" else sqlite.insert

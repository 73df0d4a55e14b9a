"""What SQLite has to be told so that its transactions can cross: which rows a statement locks, and which it wrote.

SQLAlchemy leaves FOR UPDATE out for SQLite; here it becomes a comment that the store reads, SKIP LOCKED a condition.
Triggers tell the store of each row that is about to be written, and of each that was.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Boolean, Column, MetaData, Select, Table, UniqueConstraint, case, literal_column
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import CompileError

from lab.simulation.locks import KEY_SHARE, NO_KEY_UPDATE, SHARE, UPDATE, Name

DRIVER = "sqlite+crossing"

LOCKING = re.compile(r"/\* lock (\d) (\w+) ([\d,]+) \*/$")
"""How strongly, which table's rows, and where the answer has their primary key."""

TOLD = "orderflow_row"
FREE = "orderflow_free"
"""The store's functions in SQL."""

Row = tuple[Any, ...]


class _Compiler(SQLiteCompiler):
    """SQLite's SQL, with the locks that PostgreSQL would take."""

    def visit_select(self, select_stmt: Any, *args: Any, **options: Any) -> str:
        asked = getattr(select_stmt, "_for_update_arg", None)
        if asked is not None and asked.skip_locked:
            table, keys = _keys(select_stmt)
            names = ", ".join(f"{table.name}.{key.name}" for key in keys)
            free = literal_column(f"{FREE}('{table.name}', {names})", Boolean)
            # Asked only about rows that are wanted, as PostgreSQL locks them; SQLite judges conditions in any order.
            select_stmt = select_stmt.where(case((select_stmt.whereclause, free), else_=False))
        made: str = super().visit_select(select_stmt, *args, **options)  # type: ignore[no-untyped-call]
        return made

    def for_update_clause(self, select: Any, **_: Any) -> str:
        asked = select._for_update_arg
        if asked.nowait or asked.of:
            raise CompileError("this store knows no NOWAIT and no FOR UPDATE OF")
        mode = {(True, True): KEY_SHARE, (True, False): SHARE, (False, True): NO_KEY_UPDATE, (False, False): UPDATE}[
            bool(asked.read), bool(asked.key_share)]
        table, keys = _keys(select)
        chosen = list(select.selected_columns)
        places = [at for key in keys for at, column in enumerate(chosen) if column is key]
        return f" /* lock {mode} {table.name} {','.join(map(str, places))} */"


class Dialect(SQLiteDialect_pysqlite):
    """SQLite as this store speaks it."""

    statement_compiler = _Compiler
    supports_statement_cache = True


registry.register("sqlite.crossing", __name__, "Dialect")


def _keys(select: Select[Any]) -> tuple[Table, list[Column[Any]]]:
    """The table whose rows are locked, and its primary key.  Raises CompileError unless the key is asked for."""
    chosen: list[Any] = list(select.selected_columns)
    table: Any = chosen[0].table if isinstance(chosen[0], Column) else None
    keys = list(table.primary_key.columns) if table is not None else []
    if not keys or any(all(column is not key for column in chosen) for key in keys):
        raise CompileError("to lock rows here, ask for their primary key first")
    return table, keys


@dataclass(frozen=True)
class Layout:
    """What one must know of a table to lock its rows and put them back."""

    table: str
    uniques: tuple[tuple[int, ...], ...]
    """Its unique keys, as the places of their columns; the primary one first."""
    put: str
    remove: str
    counts: bool
    """Whether its rows are numbered."""

    def names(self, row: Row) -> list[Name]:
        """What to lock when this row is written; NULL is like nothing."""
        found = [(self.table, number, tuple(row[at] for at in unique)) for number, unique in enumerate(self.uniques)]
        return [name for name in found if None not in name[2]]


@cache
def layouts(service: str) -> dict[str, Layout]:
    """The tables of a service."""
    metadata: MetaData = import_module(f"{service}.models").metadata
    return {table.name: _layout(table) for table in metadata.sorted_tables}


def _layout(table: Table) -> Layout:
    columns = [column.name for column in table.columns]
    unique = [list(table.primary_key.columns)]
    unique += [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    unique += [list(one.columns) for one in table.indexes if one.unique]
    keys = [key.name for key in table.primary_key.columns]
    return Layout(
        table.name, tuple(tuple(columns.index(column.name) for column in one) for one in unique),
        f"INSERT OR REPLACE INTO {table.name} VALUES ({', '.join('?' * len(columns))})",  # noqa: S608 (our names)
        f"DELETE FROM {table.name} WHERE {' AND '.join(f'{key} = ?' for key in keys)}",  # noqa: S608 (our names)
        _numbered(table),
    )


def _numbered(table: Table) -> bool:
    return table.autoincrement_column is not None


def numbered_for_ever(service: str) -> MetaData:
    """The service's tables, with ids that are never given twice, as a PostgreSQL sequence does."""
    copies = MetaData()
    for table in import_module(f"{service}.models").metadata.sorted_tables:
        copy = table.to_metadata(copies)
        if _numbered(copy):
            copy.dialect_options["sqlite"]["autoincrement"] = True
    return copies


def teach(raw: sqlite3.Connection, service: str) -> None:
    """Give these tables their triggers."""
    for table in import_module(f"{service}.models").metadata.sorted_tables:
        for when, what, sides in (
            ("BEFORE", "INSERT", ("NEW",)), ("AFTER", "INSERT", ("NEW",)), ("BEFORE", "UPDATE", ("OLD", "NEW")),
            ("AFTER", "UPDATE", ("OLD", "NEW")), ("BEFORE", "DELETE", ("OLD",)), ("AFTER", "DELETE", ("OLD",)),
        ):
            values = ", ".join(f"{side}.{column.name}" for side in sides for column in table.columns)
            told = f"SELECT {TOLD}('{when} {what}', '{table.name}', {values})"
            raw.execute(f"CREATE TRIGGER {table.name}_{when}_{what} {when} {what} ON {table.name} BEGIN {told}; END")
        if _numbered(table):
            raw.execute("INSERT INTO sqlite_sequence VALUES (?, 0)", (table.name,))

"""Databases that serve one run after another: emptied in between, with the statements they have prepared.

SQLite reads the tables' definitions and prepares each statement once for each connection: a seventh of a run of one order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any

from sqlalchemy import MetaData, NullPool, create_engine

from patterns import schema

STATEMENTS = 500
"""More than a service has; what a connection does not remember it prepares again."""


NUMBERS = "sqlite_sequence"
"""Where SQLite remembers which ids were given."""


class Kept:
    """A connection to a database in memory, copied from a template."""

    def __init__(self, template: sqlite3.Connection) -> None:
        self.raw = _in_memory(STATEMENTS)
        template.backup(self.raw)
        self._answering: dict[str, Callable[..., Any]] = {}
        self._known: set[str] = set()
        tables = {name for (name,) in self.raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self._emptying = [f"DELETE FROM {name}" for name in sorted(tables - {schema.mark.name, NUMBERS})]  # noqa: S608
        if NUMBERS in tables:
            self._emptying.append(f"UPDATE {NUMBERS} SET seq = 0")  # noqa: S608 (our names)

    def answer(self, name: str, arguments: int, answer: Callable[..., Any]) -> None:
        """Have this function in SQL be this one.  SQLite hears of it once: told again, it prepares all statements anew."""
        self._answering[name] = answer
        if name not in self._known:
            self._known.add(name)
            self.raw.create_function(name, arguments, partial(self._answer, name))

    def _answer(self, name: str, *values: Any) -> Any:
        return self._answering[name](*values) if name in self._answering else None

    def empty(self) -> None:
        """Forget all rows, which numbers were given, and whose functions answered."""
        self._answering.clear()
        self.raw.rollback()
        for statement in self._emptying:
            self.raw.execute(statement)


_IDLE: dict[sqlite3.Connection, list[Kept]] = {}


def lend(template: sqlite3.Connection) -> Kept:
    """An empty database with these tables."""
    idle = _IDLE.setdefault(template, [])
    return idle.pop() if idle else Kept(template)


def give_back(template: sqlite3.Connection, kept: Kept) -> None:
    """Nobody uses it any more: let it serve another run."""
    kept.empty()
    _IDLE[template].append(kept)


def _in_memory(statements: int = 0) -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=statements)


def as_it_is(service: str) -> MetaData:
    """A service's tables, as production has them."""
    metadata: MetaData = import_module(f"{service}.models").metadata
    return metadata


def _nothing(raw: sqlite3.Connection, service: str) -> None:
    """These tables need nothing else."""


@cache
def made_once(
    service: str, tables: Callable[[str], MetaData], finish: Callable[[sqlite3.Connection, str], None] = _nothing
) -> sqlite3.Connection:
    """A database with this service's tables, to be copied."""
    made = _in_memory()
    engine = create_engine("sqlite://", creator=lambda: made, poolclass=NullPool)
    # NullPool closes what it is done with; this one is kept for copies.
    keeper = engine.connect()
    schema.fill_if_empty(keeper, service, tables(service))
    keeper.commit()
    copy = _in_memory()
    made.backup(copy)
    keeper.close()
    finish(copy, service)
    return copy

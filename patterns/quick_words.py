"""Words: a statement as the driver is told it, made once: its SQL, the order its parameters come in, and how rows are read.

SQLAlchemy makes the SQL; what it does besides for each execution costs ten times what a driver takes to send it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Dialect, Double, Integer, SmallInteger, String, Text, Uuid
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData

Process = Callable[[Any], Any]

_AS_THEY_COME = frozenset({BigInteger, Boolean, Double, Integer, JSON, SmallInteger, String, Text, Uuid})
"""Types of columns whose values psycopg reads as they are meant; of all others SQLAlchemy makes something."""


class Answered(IteratorResult[Any]):
    """What a statement answered: its rows, and how many it touched."""

    def __init__(self, columns: SimpleResultMetaData, rows: Sequence[Any], rowcount: int) -> None:
        super().__init__(columns, iter(rows))
        self.rowcount = rowcount


@dataclass(slots=True, eq=False)
class Words:
    """A statement's SQL, how its values are found among the parameters, and what its rows are."""

    text: str
    names: tuple[str, ...] = ()
    kinds: tuple[Any, ...] = ()
    """The types of its parameters."""
    constants: Mapping[str, Any] | None = None
    processors: tuple[tuple[int, Process], ...] = ()
    readers: tuple[Process | None, ...] = ()
    """For each column, what makes a value of what the driver reads; empty when all come as they are meant."""
    columns: SimpleResultMetaData | None = None
    """Of the rows it answers; known once it has answered."""

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in the order that the driver wants them.  Raises KeyError where one is missing."""
        known = {**self.constants, **given} if self.constants else given
        values = [known[name] for name in self.names]
        for place, process in self.processors:
            values[place] = process(values[place])
        return values

    def know(self, names: Iterable[str]) -> SimpleResultMetaData:
        """Keep what its columns are called, for all its answers."""
        self.columns = SimpleResultMetaData(list(names))
        return self.columns

    def read(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The driver's rows as they are meant."""
        if not self.readers or not rows:
            return rows
        return [
            tuple(value if read is None else read(value) for read, value in zip(self.readers, row, strict=True))
            for row in rows
        ]


@lru_cache(maxsize=1000)
def words_of(statement: Any, names: tuple[str, ...], dialect: Dialect) -> Words | None:
    """A statement's words when its parameters have these names; None where SQLAlchemy does more than to send it."""
    if not (statement.is_select or statement.is_dml):
        return None
    compiled = statement.compile(dialect=dialect, column_keys=names)
    if compiled.prefetch or compiled.post_compile_params or compiled.literal_execute_params:
        return None
    readers = _readers(statement, dialect)
    if readers is None:
        return None
    order = tuple(compiled.positiontup or ())
    binds = {name: compiled.binds[name] for name in order}
    kinds = tuple(binds[name].type for name in order)
    processors = ((place, kind.dialect_impl(dialect).bind_processor(dialect)) for place, kind in enumerate(kinds))
    return Words(
        compiled.string, order, kinds,
        {name: bind.effective_value for name, bind in binds.items() if not bind.required},
        tuple((place, process) for place, process in processors if process is not None),
        readers,
    )


def _readers(statement: Any, dialect: Dialect) -> tuple[Process | None, ...] | None:
    """How to read each column; None where SQLAlchemy must look at what PostgreSQL says of it."""
    kinds = [column.type for column in statement.exported_columns]
    if dialect.name == "postgresql":
        return () if all(type(kind) in _AS_THEY_COME for kind in kinds) else None
    readers = tuple(kind.dialect_impl(dialect).result_processor(dialect, None) for kind in kinds)
    return readers if any(readers) else ()

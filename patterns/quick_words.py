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
    width: int = 0
    """How many columns it answers."""
    readers: tuple[tuple[int, Process], ...] = ()
    """The columns of which a value is made first, and what makes it."""
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
        found = list(names)
        if self.readers and len(found) != self.width:
            raise ValueError(f"{found} are not the {self.width} columns that SQLAlchemy knows of: {self.text}")
        self.columns = SimpleResultMetaData(found)
        return self.columns

    def read(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The driver's rows as they are meant."""
        if not self.readers or not rows:
            return rows
        return [self._meant(row) for row in rows]

    def _meant(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for place, read in self.readers:
            values[place] = read(values[place])
        return tuple(values)


@lru_cache(maxsize=1000)
def words_of(statement: Any, names: tuple[str, ...], dialect: Dialect) -> Words | None:
    """A statement's words when its parameters have these names; None where SQLAlchemy does more than to send it."""
    if not (statement.is_select or statement.is_dml):
        return None
    compiled = statement.compile(dialect=dialect, column_keys=names)
    if compiled.prefetch or compiled.post_compile_params or compiled.literal_execute_params:
        return None
    columns = [column.type for column in statement.exported_columns]
    driver_reads = dialect.name == "postgresql"
    if driver_reads and any(type(kind) not in _AS_THEY_COME for kind in columns):
        return None
    order = tuple(compiled.positiontup or ())
    binds = {name: compiled.binds[name] for name in order}
    kinds = tuple(binds[name].type for name in order)
    readers = () if driver_reads else (kind.dialect_impl(dialect).result_processor(dialect, None) for kind in columns)
    return Words(
        compiled.string, order, kinds,
        {name: bind.effective_value for name, bind in binds.items() if not bind.required},
        _some(kind.dialect_impl(dialect).bind_processor(dialect) for kind in kinds),
        len(columns), _some(readers),
    )


def _some(processes: Iterable[Process | None]) -> tuple[tuple[int, Process], ...]:
    """Those that there are, each with its place."""
    return tuple((place, process) for place, process in enumerate(processes) if process is not None)

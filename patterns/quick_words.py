"""Words: a statement as PostgreSQL is told it, made once: its SQL with $1, $2, … and the order its parameters come in.

SQLAlchemy makes the SQL; what it does besides for each execution costs ten times what PostgreSQL's library takes to send it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from psycopg import postgres
from psycopg.adapt import PyFormat
from sqlalchemy import JSON, BigInteger, Boolean, Double, Float, Integer, SmallInteger, String, Text, Uuid
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.result import SimpleResultMetaData

_NUMBERED = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

_FLOAT = postgres.types["float8"].oid
"""Numbers with a point are the only ones that SQLAlchemy does not write the type of beside the parameter."""

_AS_THEY_COME = frozenset({BigInteger, Boolean, Double, Integer, JSON, SmallInteger, String, Text, Uuid})
"""Types of columns whose values psycopg reads as they are meant; of all others SQLAlchemy makes something."""


@dataclass(slots=True, eq=False)
class Words:
    """A statement's SQL, and how its values are found among the parameters."""

    text: str
    names: tuple[str, ...] = ()
    constants: Mapping[str, Any] | None = None
    processors: tuple[tuple[int, Callable[[Any], Any]], ...] = ()
    formats: tuple[PyFormat, ...] = ()
    types: tuple[int, ...] = ()
    """Of the parameters, by PostgreSQL's numbers; 0 where the statement says it, or leaves no doubt."""
    columns: SimpleResultMetaData | None = None
    """Of the rows it answers; known once it has answered some."""

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in the order that PostgreSQL wants them.  Raises KeyError where one is missing."""
        known = {**self.constants, **given} if self.constants else given
        values = [known[name] for name in self.names]
        for place, process in self.processors:
            values[place] = process(values[place])
        return values


@lru_cache(maxsize=1000)
def words_of(statement: Any, names: tuple[str, ...]) -> Words | None:
    """A statement's words when its parameters have these names; None where SQLAlchemy does more than to send it."""
    if not (statement.is_select or statement.is_dml):
        return None
    compiled = statement.compile(dialect=_NUMBERED, column_keys=names)
    if compiled.prefetch or compiled.post_compile_params or compiled.literal_execute_params:
        return None
    if any(type(column.type) not in _AS_THEY_COME for column in statement.exported_columns):
        return None
    binds = {name: compiled.binds[name] for name in compiled.positiontup or ()}
    order = tuple(compiled.positiontup or ())
    return Words(
        compiled.string, order,
        {name: bind.effective_value for name, bind in binds.items() if not bind.required},
        tuple((place, process) for place, name in enumerate(order) if (process := _processor(binds[name].type)) is not None),
        (PyFormat.TEXT,) * len(order),
        tuple(_FLOAT if isinstance(binds[name].type, Float) else 0 for name in order),
    )


def _processor(kind: Any) -> Callable[[Any], Any] | None:
    """What SQLAlchemy does to a value of this type before the driver gets it."""
    process: Callable[[Any], Any] | None = kind.dialect_impl(_NUMBERED).bind_processor(_NUMBERED)
    return process

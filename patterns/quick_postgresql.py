"""Quick on PostgreSQL: statements wait until somebody looks at an answer; then all are sent together.

::

    INSERT inbox … ─┐                           INSERT outbox … ─┐
    UPDATE shelf … ─┴─ one trip ─> its row count …               ├─ one trip
                                                         COMMIT ─┘

A statement that is refused raises where an answer is looked at, at the latest at the commit; what was asked after it is not
done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

from patterns.quick import Quick
from patterns.quick_line import Line, Refusal, Told
from patterns.quick_words import Answered, Words

_NUMBERED = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
"""Parameters are $1, $2, …, as libpq wants them."""

_BEGIN, _COMMIT = Words("BEGIN"), Words("COMMIT")
_LINE = "orderflow_line"


class Answer:
    """What a statement answers: whoever looks has it sent.  It can do what SQLAlchemy's results can."""

    def __init__(self, session: QuickPostgreSQL) -> None:
        self._session = session
        self._outcome: Answered | DBAPIError | None = None

    def come(self, outcome: Answered | DBAPIError) -> None:
        """Keep what came of the statement."""
        self._outcome = outcome

    @property
    def rowcount(self) -> int:
        """How many rows the statement touched."""
        return self._looked().rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._looked())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._looked(), name)

    def _looked(self) -> Answered:
        if self._outcome is None:
            self._session.look()
        if isinstance(self._outcome, DBAPIError):
            raise self._outcome
        assert self._outcome is not None  # noqa: S101 (look() has something come to every answer)
        return self._outcome


class QuickPostgreSQL(Quick):
    """A session whose statements wait.  A question is asked without BEGIN, as is a single statement."""

    driver_error = psycopg.Error

    def __init__(self, plain: Connection, *, at_once: bool = False, reading: bool = False) -> None:
        super().__init__(plain, at_once=at_once or reading, reading=reading)
        self._line = _line_of(plain)
        self._waiting: list[tuple[Told, Answer]] = []

    @property
    def speaking(self) -> Dialect:
        """With numbers for parameters."""
        return _NUMBERED

    def ask(self, words: Words, given: Mapping[str, Any]) -> Answer:
        """Have this sent with what is sent next."""
        answer = Answer(self)
        self._waiting.append((self._line.told(words, given), answer))
        return answer

    def look(self) -> None:
        """Send what waits, and take the answers.  Raises what is wrong with the first of them."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        opening = [] if self._at_once or not self._line.idle else [self._line.told(_BEGIN, {})]
        statements = [*opening, *(told for told, _ in waiting)]
        try:
            answered = self._line.send(statements)[len(opening):]
        except (Refusal, psycopg.Error) as error:
            refused = self._refused(error, statements[0])
            for _, answer in waiting:
                answer.come(refused)
            raise refused from error
        for (_, answer), one in zip(waiting, answered, strict=True):
            answer.come(one)

    def commit(self) -> None:
        """Make what was done lasting; what still waits goes in the same trip."""
        if not self._line.idle or (self._waiting and not self._at_once):
            self.ask(_COMMIT, {})
        self.look()
        super().commit()

    def _refused(self, error: Refusal | psycopg.Error, first: Told) -> DBAPIError:
        """As SQLAlchemy says it."""
        told, origin = (error.told, error.error) if isinstance(error, Refusal) else (first, error)
        if broken := self._line.closed:
            with suppress(DBAPIError):
                self.plain.exec_driver_sql("SELECT 1")  # so it notices, and trusts no other connection opened before
        return self._wrapped(origin, told.words.text, told.given, broken=broken)


def _line_of(plain: Connection) -> Line:
    """The line of a connection, kept with it in the pool."""
    kept = plain.connection
    if _LINE not in kept.info:
        kept.info[_LINE] = Line(cast("psycopg.Connection[Any]", kept.driver_connection))
    return cast("Line", kept.info[_LINE])

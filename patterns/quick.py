"""Quick: the session on PostgreSQL.  Statements wait until somebody looks at an answer; then all are sent together.

::

    INSERT inbox … ─┐                           INSERT outbox … ─┐
    UPDATE shelf … ─┴─ one trip ─> its row count …               ├─ one trip
                                                         COMMIT ─┘

A statement that is refused raises where an answer is looked at, at the latest at the commit; what was asked after it is not
done.  What is no plain statement goes the way through SQLAlchemy's own connection, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from patterns.many import Answered
from patterns.quick_line import Line, Refusal, Told
from patterns.quick_words import Words, words_of

_BEGIN, _COMMIT = Words("BEGIN"), Words("COMMIT")
_SAVEPOINT, _BACK = Words("SAVEPOINT orderflow"), Words("ROLLBACK TO SAVEPOINT orderflow")
_LINE = "orderflow_line"


class Answer:
    """What a statement answers: whoever looks has it sent.  It can do what SQLAlchemy's results can."""

    def __init__(self, session: Quick) -> None:
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


class Savepoint:
    """Where a transaction may go back to; the latest of them is meant.  ``with`` one, an error goes back there."""

    def __init__(self, session: Quick) -> None:
        self._session = session
        session.ask(_SAVEPOINT, {})

    def rollback(self) -> None:
        """Undo what was done since."""
        self._session.ask(_BACK, {})

    def __enter__(self) -> Savepoint:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._session.look()  # what is refused is refused in here
        except DBAPIError:
            self.rollback()
            if kind is None:
                raise
        else:
            if kind is not None:
                self.rollback()


class Quick:
    """A session over one of SQLAlchemy's connections (``plain``), which does all that is no plain statement.

    ``at_once``: every statement is a transaction of its own.
    """

    def __init__(self, plain: Connection, *, at_once: bool = False) -> None:
        self.plain, self.dialect, self._at_once = plain, plain.dialect, at_once
        self._line = _line_of(plain)
        self._waiting: list[tuple[Told, Answer]] = []

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """What the statement answers, for whoever looks."""
        words = words_of(statement, tuple(parameters or ())) if isinstance(parameters, dict | None) else None
        if words is None:
            self.look()
            return self.plain.execute(statement, parameters, execution_options=execution_options)
        return self.ask(words, parameters or {})

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
        if self.plain.in_transaction():
            self.plain.commit()  # it has nothing left to do, and is told so

    def begin_nested(self) -> Savepoint:
        """A savepoint."""
        return Savepoint(self)

    def __getattr__(self, name: str) -> Any:
        self.look()
        return getattr(self.plain, name)

    def _refused(self, error: Refusal | psycopg.Error, first: Told) -> DBAPIError:
        """As SQLAlchemy says it."""
        told, origin = (error.told, error.error) if isinstance(error, Refusal) else (first, error)
        if broken := self._line.closed:
            with suppress(DBAPIError):
                self.plain.exec_driver_sql("SELECT 1")  # so it notices, and trusts no other connection opened before
        return cast("DBAPIError", DBAPIError.instance(
            told.words.text, dict(told.given), origin, psycopg.Error, connection_invalidated=broken, dialect=self.dialect))


def plain(session: Connection) -> Connection:
    """SQLAlchemy's own connection, in the same transaction: for whoever asks about the tables themselves."""
    if not isinstance(session, Quick):
        return session
    session.look()
    return session.plain


def _line_of(plain: Connection) -> Line:
    """The line of a connection, kept with it in the pool."""
    kept = plain.connection
    if _LINE not in kept.info:
        kept.info[_LINE] = Line(cast("psycopg.Connection[Any]", kept.driver_connection))
    return cast("Line", kept.info[_LINE])

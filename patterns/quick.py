"""Quick: the session that handlers get.  A statement is made once, and goes past SQLAlchemy to the database's own driver.

It looks like SQLAlchemy's connection.  What is no plain statement goes the way through SQLAlchemy's own, in the same
transaction.  On PostgreSQL statements wait and travel together (:mod:`patterns.quick_postgresql`); SQLite answers each
at once (:mod:`patterns.quick_sqlite`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError

from patterns.quick_words import Words, words_of

_SAVEPOINT, _BACK = Words("SAVEPOINT orderflow"), Words("ROLLBACK TO SAVEPOINT orderflow")


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


class Quick(ABC):
    """A session over one of SQLAlchemy's connections (``plain``), which does all that is no plain statement.

    ``at_once``: every statement may be a transaction of its own; ``reading``: nothing is written.
    """

    driver_error: ClassVar[type[Exception]]
    """What the driver's errors have in common."""

    def __init__(self, plain: Connection, *, at_once: bool = False, reading: bool = False) -> None:
        self.plain, self.dialect, self._at_once, self._reading = plain, plain.dialect, at_once, reading

    @property
    def speaking(self) -> Dialect:
        """The dialect in which statements are made."""
        return self.dialect

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """What the statement answers."""
        if isinstance(parameters, dict | None):
            words = words_of(statement, tuple(parameters or ()), self.speaking)
            if words is not None:
                return self.ask(words, parameters or {})
        return self.own().execute(statement, parameters, execution_options=execution_options)

    @abstractmethod
    def ask(self, words: Words, given: Mapping[str, Any]) -> Any:
        """Have this done; answers what it answers."""

    @abstractmethod
    def look(self) -> None:
        """See to it that all that was asked is done.  Raises what is wrong with it."""

    def own(self) -> Connection:
        """SQLAlchemy's own connection, after all that was asked, in the same transaction."""
        self.look()
        return self.plain

    def commit(self) -> None:
        """Make what was done lasting."""
        if self.plain.in_transaction():
            self.plain.commit()  # it has nothing left to do, and is told so

    def begin_nested(self) -> Savepoint:
        """A savepoint."""
        return Savepoint(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own(), name)

    def _wrapped(self, error: Exception, text: str, given: Mapping[str, Any], *, broken: bool) -> DBAPIError:
        """The driver's error as SQLAlchemy says it."""
        return cast("DBAPIError", DBAPIError.instance(
            text, dict(given), error, self.driver_error, connection_invalidated=broken, dialect=self.dialect))


def plain(session: Connection) -> Connection:
    """SQLAlchemy's own connection, in the same transaction: for whoever asks about the tables themselves."""
    return session.own() if isinstance(session, Quick) else session

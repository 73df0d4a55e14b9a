"""Quick on SQLite: a statement goes straight to the driver, and its rows are read at once.

The transaction begins with the first statement; one that writes with BEGIN IMMEDIATE.  A deferred one that reads first and
then writes fails at once with "database is locked" when another wrote meanwhile, however long the timeout
(https://www.sqlite.org/lang_transaction.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from patterns.quick import Quick
from patterns.quick_words import Answered, Words


class QuickSQLite(Quick):
    """A session whose statements are done at once."""

    driver_error = sqlite3.Error

    def __init__(self, plain: Connection, *, at_once: bool = False, reading: bool = False) -> None:
        super().__init__(plain, at_once=at_once, reading=reading)
        self.driver = cast("sqlite3.Connection", plain.connection.driver_connection)
        self._cursor = self.driver.cursor()
        self._begun = False

    def ask(self, words: Words, given: Mapping[str, Any]) -> Answered:
        """Do this, and read its rows."""
        self.begin()
        values = words.values(given)
        try:
            self._cursor.execute(words.text, values)
            rows = self._cursor.fetchall()
        except sqlite3.Error as error:
            raise self._refused(error, words.text, given) from error
        columns = words.columns or words.know(described[0] for described in self._cursor.description or ())
        return Answered(columns, words.read(rows), self._cursor.rowcount)

    def look(self) -> None:
        """Nothing waits here."""

    def begin(self) -> None:
        """Begin the transaction, unless it has begun."""
        if not self._begun:
            self._drive(self._cursor.execute, "BEGIN" if self._reading else "BEGIN IMMEDIATE")
            self._begun = True

    def own(self) -> Connection:
        """SQLAlchemy's own connection, in the same transaction."""
        self.begin()
        return self.plain

    def commit(self) -> None:
        """Make what was done lasting."""
        if self._begun:
            self._drive(self.driver.commit)
            self._begun = False
        super().commit()

    def _drive(self, call: Callable[..., object], *statement: str) -> None:
        try:
            call(*statement)
        except sqlite3.Error as error:
            raise self._refused(error, " ".join(statement) or "COMMIT", {}) from error

    def _refused(self, error: sqlite3.Error, text: str, given: Mapping[str, Any]) -> DBAPIError:
        """As SQLAlchemy says it; a connection that is gone goes out of the pool."""
        broken = self.dialect.is_disconnect(cast("Any", error), None, None)
        if broken:
            self.plain.invalidate(error)
        return self._wrapped(error, text, given, broken=broken)

"""A process's connection to a simulated database, as the driver's own look like: its calls are places."""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import TimeoutError as PoolTimeout

from lab.simulation.counting import watch
from lab.simulation.scheduler import Process

if TYPE_CHECKING:
    from lab.simulation.store import Store


class Deadlock(sqlite3.OperationalError):
    """What PostgreSQL says when transactions wait for each other."""

    sqlstate = "40P01"


class SerializationFailure(sqlite3.OperationalError):
    """What PostgreSQL says when transactions cannot be put in a row."""

    sqlstate = "40001"


class LockTimeout(sqlite3.OperationalError):
    """What PostgreSQL says when somebody else's lock was waited for too long."""

    sqlstate = "55P03"


class Aborted(sqlite3.OperationalError):
    """What PostgreSQL says when a transaction goes on after a statement failed."""

    sqlstate = "25P02"


BROKEN_OFF = "Cannot operate on a closed database."
"""What the driver says when the connection is gone; SQLAlchemy knows these words."""


class Wire:
    """One process's connection to a store, as the driver's own look like."""

    isolation_level = None

    def __init__(self, store: Store, process: Process) -> None:
        self.store, self.process = store, process
        self.open = False  # in a transaction, and so holding the turn
        self.writes = False
        self.broken = False
        self.at_once = False
        """Whether each statement is a transaction of its own, where transactions cross."""

    def cursor(self) -> Cursor:
        """A cursor whose statements are places where others may come first."""
        made = self.store.raw.cursor(Cursor)
        made.wire = self
        return made

    def begin(self) -> None:
        """Wait for the turn."""
        fault = self.store.world.injector.at("begin", self.store.service)
        if fault == "pool exhausted":
            raise PoolTimeout("QueuePool limit of size 10 overflow 30 reached, connection timed out, timeout 10.00")
        if fault == "database away" or self.store.down_until > self.store.world.scheduler.now:
            raise sqlite3.OperationalError("could not connect to the database")
        self.enter()

    def enter(self) -> None:
        """Have the turn."""
        self.store.turn.acquire()
        self.open, self.store.holder = True, self

    def commit(self) -> None:
        """Commit, and let everybody see; before it and after it the connection may break."""
        if not self.open:
            self.check()
            return
        fault = self.store.world.injector.at("commit", self.store.service)
        self.check()
        if fault is not None:
            self.fail(fault)
        self.leave(commit=True)
        self.store.world.committed(self.store.service)
        if self.store.world.injector.at("committed", self.store.service) == "commit unknown":
            raise sqlite3.ProgrammingError(BROKEN_OFF)

    def check(self) -> None:
        """Raise what a broken connection raises."""
        if self.broken:
            raise sqlite3.ProgrammingError(BROKEN_OFF)

    def fail(self, fault: str) -> None:
        """Fail as the database does; a broken connection takes its transaction with it."""
        if fault in ("deadlock", "serialization failure", "commit refused"):
            self.store.world.seen["database asked to try again"] += 1
        if fault == "deadlock":
            raise Deadlock("deadlock detected")
        if fault in ("serialization failure", "commit refused"):
            raise SerializationFailure("could not serialize access due to concurrent update")
        self.broken = True
        self.rollback()
        self.check()

    def rollback(self) -> None:
        """Undo what is not committed; also what a dead process leaves behind."""
        if self.open:
            self.leave(commit=False)

    def close(self) -> None:
        """Give the turn back."""
        self.rollback()

    def create_function(self, *_: Any, **__: Any) -> None:
        """The store has its functions already."""

    def leave(self, *, commit: bool) -> None:
        """End the transaction, and give the turn back."""
        if commit:
            self.store.raw.commit()
        else:
            self.store.raw.rollback()
        self.open, self.store.holder = False, None
        self.store.turn.release()

    @property
    def breakable(self) -> bool:
        """Whether statements are places now: those that only read are none where nobody comes between."""
        return self.open and self.writes


class Cursor(sqlite3.Cursor):
    """Statements that may fail, or be overtaken."""

    wire: Wire

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._rows: deque[Any] = deque()

    def execute(self, statement: str, parameters: Any = ()) -> Cursor:
        """Run one statement."""
        self._before(statement)
        before = self.connection.total_changes
        super().execute(statement, parameters)
        # All at once: what SQLite counts as changed is known at the end, and nobody may come between two rows.
        self._rows = deque(super().fetchall() if self.description is not None else ())
        watch(self.wire.store, statement, parameters, self.connection.total_changes - before)
        return self

    def fetchone(self) -> Any:
        """The next row."""
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows."""
        return [self._rows.popleft() for _ in range(min(size or 1, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        rows, self._rows = list(self._rows), deque()
        return rows

    def executemany(self, statement: str, parameters: Any) -> Cursor:
        """Run one statement for each set of parameters."""
        self._before(statement)
        super().executemany(statement, parameters)
        return self

    def _before(self, statement: str) -> None:
        wire = self.wire
        if statement.startswith("BEGIN"):
            wire.begin()
            wire.writes = statement != "BEGIN"
        elif wire.breakable:
            fault = wire.store.world.injector.at("sql", wire.store.service)
            wire.check()
            if fault is not None:
                wire.fail(fault)
        else:
            wire.check()

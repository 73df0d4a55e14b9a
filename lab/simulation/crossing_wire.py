"""A process's connection to a database whose transactions cross: what a statement does when it meets another's lock."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from typing import Any

from lab.simulation.counting import watch
from lab.simulation.crossing import CrossingStore
from lab.simulation.crossing_sql import LOCKING
from lab.simulation.crossing_view import Met, Transaction
from lab.simulation.scheduler import Process
from lab.simulation.wire import Aborted, Cursor, Wire


class CrossingWire(Wire):
    """One process's connection."""

    store: CrossingStore

    def __init__(self, store: CrossingStore, process: Process) -> None:
        super().__init__(store, process)
        self.transaction: Transaction | None = None

    def cursor(self) -> Cursor:
        """A cursor whose statements wait for locks."""
        made = self.store.raw.cursor(CrossingCursor)
        made.wire = self
        return made

    def enter(self) -> None:
        """Begin; nobody waits for a turn."""
        self.transaction = Transaction(self)
        self.store.open[self.transaction] = None
        self.open = True

    def leave(self, *, commit: bool) -> None:
        """End the transaction; the locks go when what it wrote is there."""
        transaction = self._mine()
        if commit and not transaction.failed:
            self.store.view.keep(transaction)
        self.open, self.transaction = False, None
        del self.store.open[transaction]
        self.store.forget(transaction)
        self.store._go_on(transaction)  # where it is broken off while it waits

    def fail(self, fault: str) -> None:
        """Fail as the database does, which undoes the transaction at once."""
        self.abort()
        super().fail(fault)

    def abort(self) -> None:
        """A statement failed: all is undone since the last savepoint, and nothing can be done until it is gone back to."""
        if self.transaction is not None:
            self.transaction.failed = True
            marks = list(self.transaction.savepoints.values())
            self.store.forget(self.transaction, marks[-1] if marks else (0, 0))

    def savepoint(self, statement: str) -> bool:
        """SAVEPOINT, ROLLBACK TO, RELEASE; False when it is something else."""
        mine, name = self._mine(), statement.split()[-1]
        if statement.startswith("SAVEPOINT"):
            mine.savepoints[name] = len(mine.writes), self.store.view.locks.count(mine)
        elif statement.startswith("ROLLBACK TO"):
            self.store.forget(mine, mine.savepoints[name])
            mine.failed = False
        elif statement.startswith("RELEASE"):
            del mine.savepoints[name]
        else:
            return False
        return True

    def done(self, run: Callable[[], list[Any]], statement: str) -> list[Any]:
        """Do one statement, as often as it meets somebody else's lock."""
        view, mine = self.store.view, self._mine()
        began, fresh = len(view.undone), set[Any]()
        while True:
            view.begin_statement(mine, began, fresh)
            try:
                rows = self._run(run, statement, mine)
            except (Met, sqlite3.Error) as error:
                met = error if isinstance(error, Met) else view.met
                view.clear()
                if met is None:
                    self.abort()
                    raise
            else:
                mine.writes += view.written
                if fresh:
                    view.clear()
                return rows
            self._after(met, fresh)

    def end_statement(self) -> None:
        """Commit, if each statement is a transaction of its own: until then others may come and meet its locks."""
        if self.at_once:
            self.store.world.scheduler.may_switch()
            self.check()
            self.leave(commit=True)
            self.store.world.committed(self.store.service)
            self.enter()

    def _run(self, run: Callable[[], list[Any]], statement: str, mine: Transaction) -> list[Any]:
        if statement.startswith("INSERT"):
            self.store.view.number(statement.split(None, 3)[2])
        rows = run()
        if locking := LOCKING.search(statement):
            mode, table, places = locking.groups()
            for row in rows:
                key = tuple(row[int(at)] for at in places.split(","))
                self.store.view.lock(mine, self.store.view.layouts[table], key, int(mode))
        return rows

    def _after(self, met: Met, fresh: set[Any]) -> None:
        """Wait for whom the statement met; it sees the row that it met as it is then."""
        if met.others:
            try:
                self.store.wait(self._mine(), met.others)
            except sqlite3.Error:
                self.abort()
                raise
            self.check()
        if met.row is not None:
            fresh.add(met.row)
            self.store.world.seen["crossing: row judged anew"] += 1

    def _mine(self) -> Transaction:
        assert self.transaction is not None  # noqa: S101 (whoever asks is in one)
        return self.transaction

    def usable(self, statement: str) -> None:
        """Raise what PostgreSQL says when a transaction goes on after an error."""
        if self._mine().failed and not statement.startswith("ROLLBACK TO"):
            raise Aborted("current transaction is aborted, commands ignored until end of transaction block")


class CrossingCursor(Cursor):
    """Statements that wait for locks."""

    wire: CrossingWire

    def execute(self, statement: str, parameters: Any = ()) -> CrossingCursor:
        """Run one statement."""
        self._before(statement)
        if not self.wire.open:
            sqlite3.Cursor.execute(self, statement, parameters)
        elif not statement.startswith("BEGIN"):
            if not self.wire.writes:
                self.wire.store.world.scheduler.may_switch()  # others may come between statements that only read as well
                self.wire.check()
            self.wire.usable(statement)
            if not self.wire.savepoint(statement):
                self._rows = deque(self.wire.done(lambda: self._all(statement, parameters), statement))
                watch(self.wire.store, statement, parameters, len(self.wire.store.view.written))
                self.wire.end_statement()
        return self

    def _all(self, statement: str, parameters: Any) -> list[Any]:
        sqlite3.Cursor.execute(self, statement, parameters)
        return sqlite3.Cursor.fetchall(self) if self.description is not None else []

    def executemany(self, statement: str, parameters: Any) -> CrossingCursor:
        """Run one statement for each set of parameters."""
        self._before(statement)
        self.wire.usable(statement)
        many = list(parameters)

        def run() -> list[Any]:
            sqlite3.Cursor.executemany(self, statement, many)
            return []

        self.wire.done(run, statement)
        return self

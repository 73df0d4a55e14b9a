"""A simulated database whose transactions cross, statement by statement, as PostgreSQL's do at READ COMMITTED.

::

    committed rows  ◄── commit: the rows that a transaction wrote, at once ── transaction 1: rows written, locks
    (SQLite)        ── before a statement: its own rows laid over them ────► transaction 2: rows written, locks

One SQLite connection shows the rows as one transaction sees them: what is committed, and over that what it wrote.  When
another comes on, all is rolled back and its own rows are laid over what is committed by then.  A statement that meets
another's lock is undone, waits for the other's end, and is done again with the rows it waited for as they are then; all
else it sees as it was when it began (https://www.postgresql.org/docs/15/transaction-iso.html#XACT-READ-COMMITTED).

What is simpler than in PostgreSQL: SERIAL ids, SELECT … FOR UPDATE and SKIP LOCKED of one table, no predicate locks, no
foreign keys, no statement_timeout.  How alike they are, ``tests/interleaving`` looks at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from lab.simulation.crossing_sql import DRIVER, numbered_for_ever, teach
from lab.simulation.crossing_view import Transaction, View
from lab.simulation.kept import made_once
from lab.simulation.locks import circle
from lab.simulation.scheduler import Process
from lab.simulation.store import Store
from lab.simulation.wire import Deadlock, LockTimeout
from patterns.engine import LOCK_SECONDS

if TYPE_CHECKING:
    from lab.simulation.crossing_wire import CrossingWire
    from lab.simulation.world import World


class CrossingStore(Store):
    """One service's database: what is committed survives every process."""

    serial = False
    driver = DRIVER

    def __init__(self, world: World, service: str) -> None:
        super().__init__(world, service)
        self.view = View(self.raw, self.answer, service, world.seen)
        self.open: dict[Transaction, None] = {}
        self.choose_victim: Callable[[Sequence[Transaction]], Transaction] = world.scheduler.chance.choice

    def template(self) -> sqlite3.Connection:
        """Tables with triggers."""
        return made_once(self.service, numbered_for_ever, teach)

    def connect(self, process: Process) -> CrossingWire:
        """A connection of this process."""
        from lab.simulation.crossing_wire import CrossingWire  # it builds on this module

        return CrossingWire(self, process)

    @property
    def busy(self) -> bool:
        """Whether a transaction is open."""
        return bool(self.open)

    def break_connections(self) -> None:
        """Every transaction that is open is gone."""
        for transaction in list(self.open):
            transaction.wire.broken = True
            transaction.wire.rollback()

    def rows(self, statement: str) -> list[Any]:
        """What is committed, whatever is open."""
        self.view.clear()
        return self.raw.execute(statement).fetchall()

    # -- the end of a transaction

    def forget(self, transaction: Transaction, to: tuple[int, int] = (0, 0)) -> None:
        """Undo a transaction, all of it or back to a savepoint, and let those go on who wait for it."""
        writes, mark = to
        self.view.hide(transaction)
        del transaction.writes[writes:]
        self.view.locks.let_go(transaction, mark)
        for other in self.open:
            if transaction in other.awaits:
                self._go_on(other)

    def _go_on(self, waiting: Transaction) -> None:
        waiting.awaits = []
        if waiting.waiter is not None:
            self.world.scheduler.wake(waiting.waiter)

    # -- waiting

    def wait(self, transaction: Transaction, others: Collection[Transaction]) -> None:
        """Wait until one of them lets something go.  Raises Deadlock or LockTimeout."""
        scheduler, seen = self.world.scheduler, self.world.seen
        seen["crossing: waited for a lock"] += 1
        transaction.awaits, transaction.waiter = list(dict.fromkeys(others)), scheduler.current
        try:
            self._end_deadlocks(transaction)
            while transaction.awaits and not transaction.doomed:
                if not scheduler.wait(LOCK_SECONDS):
                    seen["crossing: waited too long"] += 1
                    raise LockTimeout("canceling statement due to lock timeout")
        finally:
            transaction.awaits, transaction.waiter = [], None
        if transaction.doomed:
            transaction.doomed = False
            seen["crossing: deadlock"] += 1
            raise Deadlock("deadlock detected")

    def _end_deadlocks(self, transaction: Transaction) -> None:
        awaits = {other: other.awaits for other in self.open if not other.doomed}
        while waiting := circle(transaction, awaits):
            victim = self.choose_victim(waiting)
            victim.doomed = True
            awaits.pop(victim)
            if victim is not transaction:
                self._go_on(victim)

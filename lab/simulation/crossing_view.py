"""What one transaction sees, on a connection that all share; and which rows its statement meets and writes."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.simulation.crossing_sql import FREE, TOLD, Layout, Row, layouts
from lab.simulation.locks import NO_KEY_UPDATE, UPDATE, Locks, Name
from lab.simulation.scheduler import Task

if TYPE_CHECKING:
    from lab.simulation.crossing_wire import CrossingWire


@dataclass(eq=False)
class Transaction:
    """What one connection has written, and nobody else sees yet."""

    wire: CrossingWire
    writes: list[tuple[Name, Row | None, Row | None]] = field(default_factory=list)
    """Rows by their primary keys: what each was (None: not there), and is now."""
    savepoints: dict[str, tuple[int, int]] = field(default_factory=dict)
    failed: bool = False
    awaits: list[Transaction] = field(default_factory=list)
    waiter: Task | None = None
    doomed: bool = False
    """Whether it was chosen to end a deadlock."""


class Met(Exception):
    """A statement came to a row that others hold, or (``others`` empty) that is newer than what it sees."""

    def __init__(self, row: Name | None, others: Sequence[Transaction]) -> None:
        super().__init__(row)
        self.row, self.others = row, others


class View:
    """The rows as one transaction sees them; triggers tell it of those that a statement writes."""

    def __init__(
        self, raw: sqlite3.Connection, answer: Callable[[str, int, Callable[..., Any]], None], service: str,
        seen: Counter[str],
    ) -> None:
        self.raw, self.layouts, self.seen = raw, layouts(service), seen
        self.locks: Locks[Transaction] = Locks()
        self.undone: list[dict[Name, Row | None]] = []
        """For each commit: what the rows it wrote were before."""
        self.met: Met | None = None
        self.fresh: set[Name] = set()
        """Rows that the statement in hand sees as they are now; all others as they were when it began."""
        self.began = 0
        self.written: list[tuple[Name, Row | None, Row | None]] = []
        self._shown: Transaction | None = None
        self._laying = False
        self._numbers = {name: 0 for name, layout in self.layouts.items() if layout.counts}
        self._tells: Mapping[str, Callable[[Transaction, Layout, Row], None]] = {
            "BEFORE INSERT": self._inserting, "AFTER INSERT": self._inserted,
            "BEFORE UPDATE": self._updating, "AFTER UPDATE": self._updated,
            "BEFORE DELETE": self._deleting, "AFTER DELETE": self._deleted,
        }
        answer(TOLD, -1, self._told)
        answer(FREE, -1, self._is_free)

    def clear(self) -> None:
        """Show what is committed."""
        if self._shown is not None:
            self.raw.rollback()
            self._shown = None

    def hide(self, transaction: Transaction) -> None:
        """Show this transaction's rows no more."""
        if self._shown is transaction:
            self.clear()

    def show(self, to: Transaction, since: int | None = None) -> None:
        """Show the rows as this transaction sees them.

        ``since``: as they were after so many commits, but for the fresh ones.
        """
        if self._shown is to and since is None:
            return
        if self._shown is not None and since is None and not self._shown.writes and not to.writes:
            self._shown = to
            return
        self.clear()
        self.raw.execute("BEGIN")
        self._shown, self._laying = to, True
        if since is not None:
            for before in reversed(self.undone[since:]):
                for name, row in before.items():
                    if name not in self.fresh:
                        self._put(name, row)
        for name, _, row in to.writes:
            self._put(name, row)
        self._laying = False

    def _put(self, name: Name, row: Row | None) -> None:
        layout = self.layouts[name[0]]
        self.raw.execute(*((layout.remove, name[2]) if row is None else (layout.put, row)))

    # -- one statement

    def begin_statement(self, of: Transaction, began: int, fresh: set[Name]) -> None:
        """Show a statement what it may see: all as it is, or when it had to wait for some rows, only these."""
        self.began, self.fresh, self.met, self.written = began, fresh, None, []
        self.show(of, began if fresh else None)

    def number(self, table: str) -> None:
        """Have ids go on where they stopped, whoever took the last one."""
        if table in self._numbers:
            self.raw.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (self._numbers[table], table))

    def lock(self, owner: Transaction, layout: Layout, key: Row, mode: int) -> None:
        """Lock a row.  Raises Met."""
        name: Name = (layout.table, 0, key)
        others = self.locks.against(owner, name, mode)
        stale = self.fresh and name not in self.fresh and any(name in before for before in self.undone[self.began:])
        if others or stale:
            raise Met(name, others)
        self.locks.take(owner, name, mode, written=False)

    def _told(self, when: str, table: str, *values: Any) -> None:
        """A trigger tells of a row that is about to be written, or was."""
        owner = self._shown
        if self._laying or owner is None:
            return
        layout = self.layouts[table]
        try:
            self._tells[when](owner, layout, values)
        except Met as met:
            self.met = met
            raise

    def _inserting(self, owner: Transaction, layout: Layout, new: Row) -> None:
        others = [other for name in layout.names(new) for other in self.locks.writers(owner, name)]
        if others:
            raise Met(None, others)

    def _inserted(self, owner: Transaction, layout: Layout, new: Row) -> None:
        if layout.counts:
            self._numbers[layout.table] = max(self._numbers[layout.table], new[layout.uniques[0][0]])
        self._note(owner, layout, None, new)

    def _updating(self, owner: Transaction, layout: Layout, values: Row) -> None:
        old, new = values[: len(values) // 2], values[len(values) // 2:]
        keys_stay = layout.names(old) == layout.names(new)
        self.lock(owner, layout, layout.names(old)[0][2], NO_KEY_UPDATE if keys_stay else UPDATE)

    def _updated(self, owner: Transaction, layout: Layout, values: Row) -> None:
        old, new = values[: len(values) // 2], values[len(values) // 2:]
        if layout.names(old)[0] == layout.names(new)[0]:
            self._note(owner, layout, old, new)
        else:
            self._note(owner, layout, old, None)
            self._note(owner, layout, None, new)

    def _deleting(self, owner: Transaction, layout: Layout, old: Row) -> None:
        self.lock(owner, layout, layout.names(old)[0][2], UPDATE)

    def _deleted(self, owner: Transaction, layout: Layout, old: Row) -> None:
        self._note(owner, layout, old, None)

    def _note(self, owner: Transaction, layout: Layout, old: Row | None, new: Row | None) -> None:
        names = list(dict.fromkeys([*(layout.names(old) if old else ()), *(layout.names(new) if new else ())]))
        for name in names:
            self.locks.take(owner, name, NO_KEY_UPDATE if old and new else UPDATE, written=True)
        self.written.append((names[0], old, new))

    def _is_free(self, table: str, *key: Any) -> bool:
        owner = self._shown
        held = owner is not None and self.locks.against(owner, (table, 0, key), UPDATE)
        self.seen["crossing: row skipped"] += bool(held)
        return not held

    def keep(self, transaction: Transaction) -> None:
        """Commit."""
        self.show(transaction)
        self.raw.commit()
        self._shown = None
        before: dict[Name, Row | None] = {}
        for name, old, _ in transaction.writes:
            before.setdefault(name, old)
        self.undone.append(before)

"""Locks on rows and unique keys, as PostgreSQL's are: which get along, who waits for whom.

https://www.postgresql.org/docs/15/explicit-locking.html#LOCKING-ROWS
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T", bound=Hashable)

KEY_SHARE, SHARE, NO_KEY_UPDATE, UPDATE = range(4)
"""What SELECT … FOR takes; a change takes NO KEY UPDATE, of a key or of the whole row UPDATE.  Two get along if they
add up to less than UPDATE: PostgreSQL's table of conflicts, in one line."""

Name = tuple[str, int, tuple[object, ...]]
"""A table, which of its unique keys (the primary one is 0), and that key's value."""


class Held(NamedTuple):
    """How a transaction holds a name; ``written``: it changed the row, or made it."""

    mode: int
    written: bool


class Locks(Generic[T]):
    """Who holds what; an owner is any transaction."""

    def __init__(self) -> None:
        self._held: dict[Name, dict[T, Held]] = {}
        self._taken: dict[T, list[tuple[Name, Held | None]]] = {}

    def against(self, owner: T, name: Name, mode: int) -> list[T]:
        """Who holds this row so that this owner has to wait."""
        return [other for other, held in self._held.get(name, {}).items()
                if other is not owner and held.mode + mode >= UPDATE]

    def writers(self, owner: T, name: Name) -> list[T]:
        """Who has written this key; who inserts it waits for them, and not for those who only locked it."""
        return [other for other, held in self._held.get(name, {}).items() if other is not owner and held.written]

    def take(self, owner: T, name: Name, mode: int, *, written: bool) -> None:
        """Hold it, at least so strongly."""
        holders = self._held.setdefault(name, {})
        before = holders.get(owner)
        now = Held(max(mode, before.mode), written or before.written) if before else Held(mode, written)
        if now != before:
            holders[owner] = now
            self._taken.setdefault(owner, []).append((name, before))

    def count(self, owner: T) -> int:
        """A mark to :meth:`let_go` back to."""
        return len(self._taken.get(owner, ()))

    def let_go(self, owner: T, mark: int = 0) -> None:
        """Undo what was taken since the mark: all, or since a savepoint."""
        taken = self._taken.get(owner, [])
        while len(taken) > mark:
            name, before = taken.pop()
            if before is not None:
                self._held[name][owner] = before
            else:
                del self._held[name][owner]
                if not self._held[name]:
                    del self._held[name]
        if not mark:
            self._taken.pop(owner, None)


def circle(start: T, awaits: Mapping[T, Sequence[T]]) -> list[T]:
    """Transactions that wait for each other in a circle with this one; empty when there is none."""

    def paths(path: list[T]) -> Iterator[list[T]]:
        for other in awaits.get(path[-1], ()):
            if other is start:
                yield path
            elif other not in path:
                yield from paths([*path, other])

    return next(paths([start]), [])

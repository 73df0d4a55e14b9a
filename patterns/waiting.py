"""Waiting for an order's ending, in threads that a client lets wait (``Prefer: wait=SECONDS``, RFC 7240).

Whoever commits something about an order in this process wakes those who wait for it (:meth:`Waiting.news`), after the
commit; they look at the database again.  An ending that another instance writes is found by looking every
:data:`LOOK_SECONDS` as well: a few reads a second, since those who wait are few.  (PostgreSQL's NOTIFY would save them,
but makes all commits of a database that notify wait for each other.)  No transaction is open while anybody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from patterns.runtime import runtime
from patterns.settings import settings

LOOK_SECONDS = 0.25

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seat:
    """A place to wait: so many seconds were granted, until that moment (monotonic)."""

    seconds: int
    until: float


class Waiting:
    """Those who wait in this process, each for news of one order; at most WAITERS_AT_ONCE."""

    def __init__(self) -> None:
        self._lock = runtime().lock()
        self._bells: dict[UUID, list[Any]] = {}
        self._seated = 0
        self._closed = False

    def open(self) -> None:
        """Let waiters in."""
        self._closed = False

    def close(self) -> None:
        """Let nobody wait any more: they are told how their orders stand."""
        self._closed = True
        with self._lock:
            for bell in [bell for bells in self._bells.values() for bell in bells]:
                bell.set()

    def news(self, order_ids: Iterable[UUID]) -> None:
        """Something was committed about these orders: wake whoever waits for one of them."""
        if not self._bells:  # without the lock: who begins to wait now looks first, and sees what was committed
            return
        with self._lock:
            for bell in [bell for order_id in order_ids for bell in self._bells.get(order_id, ())]:
                bell.set()

    @contextmanager
    def seat(self, seconds: float | None, since: float | None = None) -> Iterator[Seat | None]:
        """A seat for so many seconds, at most PREFER_WAIT_SECONDS; None when nobody asked or every seat is taken.

        ``since``: when the client began to wait (monotonic), if that was not now.
        """
        with self._lock:
            granted = seconds is not None and not self._closed and self._seated < settings().waiters_at_once
            self._seated += granted
        try:
            wait = min(seconds or 0, settings().prefer_wait_seconds)
            yield Seat(int(wait), (runtime().monotonic() if since is None else since) + wait) if granted else None
        finally:
            with self._lock:
                self._seated -= granted

    def until(self, seat: Seat, order_id: UUID, look: Callable[[], T], enough: Callable[[T], bool]) -> T:
        """What ``look`` finds: once it is enough, or when the seat's time is over."""
        bell = runtime().event()
        with self._lock:
            self._bells.setdefault(order_id, []).append(bell)
        try:
            while True:
                bell.clear()
                found = look()
                left = seat.until - runtime().monotonic()
                if enough(found) or left <= 0 or self._closed:
                    return found
                bell.wait(min(left, LOOK_SECONDS))
        finally:
            self._leave(order_id, bell)

    def _leave(self, order_id: UUID, bell: Any) -> None:
        with self._lock:
            bells = self._bells[order_id]
            bells.remove(bell)
            if not bells:
                del self._bells[order_id]

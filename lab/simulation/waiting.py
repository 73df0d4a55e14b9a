"""Waiting in the simulated world: locks, conditions, flags and mailboxes between tasks.

All of them let the scheduler decide who goes on; none is ever waited for in real time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty
from types import TracebackType
from typing import Any, TypeVar, cast

from lab.simulation.scheduler import Scheduler, Task

T = TypeVar("T")


class Lock:
    """A mutual exclusion; whoever waits longest gets it next."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._holder: Task | None = None
        self._held = False
        self._waiters: deque[Task] = deque()

    @property
    def held(self) -> bool:
        """Whether somebody has it."""
        return self._held

    def acquire(self) -> bool:
        """Wait for it."""
        while self._held and not (self._holder is not None and self._holder.done):
            me = cast("Task", self._scheduler.current)
            self._waiters.append(me)
            try:
                self._scheduler.wait(None)
            finally:
                if me in self._waiters:
                    self._waiters.remove(me)
        self._held, self._holder = True, self._scheduler.current
        return True

    def release(self) -> None:
        """Give it to the next."""
        self._held, self._holder = False, None
        if self._waiters:
            self._scheduler.wake(self._waiters.popleft())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class Condition:
    """Wait until something holds; told by others when to look again."""

    def __init__(self, scheduler: Scheduler, lock: Lock | None) -> None:
        self._scheduler, self._lock = scheduler, lock or Lock(scheduler)
        self._waiters: list[Task] = []

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Let the lock go, wait to be told, take it again; False when the time was over first."""
        me = cast("Task", self._scheduler.current)
        self._lock.release()
        self._waiters.append(me)
        try:
            return self._scheduler.wait(timeout)
        finally:
            if me in self._waiters:
                self._waiters.remove(me)
            if me.process.alive:
                self._lock.acquire()

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait until the predicate holds; answers what it says at last."""
        until = None if timeout is None else self._scheduler.now + timeout
        while not (answer := predicate()):
            if not self.wait(None if until is None else until - self._scheduler.now):
                return predicate()
        return answer

    def notify_all(self) -> None:
        """Tell everybody to look again."""
        waiters, self._waiters = self._waiters, []
        for task in waiters:
            self._scheduler.wake(task)

    notify = notify_all


class Event:
    """A flag one can wait for."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._changed = Condition(scheduler, None)
        self._set = False

    def is_set(self) -> bool:
        """Whether the flag is up."""
        return self._set

    def set(self) -> None:
        """Put the flag up."""
        self._set = True
        self._changed.notify_all()

    def clear(self) -> None:
        """Take the flag down."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the flag."""
        with self._changed:
            return self._changed.wait_for(self.is_set, timeout)


class Mailbox:
    """A queue between tasks."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._items: deque[Any] = deque()
        self._changed = Condition(scheduler, None)

    def put(self, item: Any) -> None:
        """Put one in."""
        self._items.append(item)
        self._changed.notify_all()

    def get(self, timeout: float | None = None) -> Any:
        """Take one out, waiting for it.  Raises Empty when the time was over first."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._items), timeout):
                raise Empty
            return self._items.popleft()

"""Threads, waiting and time: where every service takes them from, so that a simulation can be another world.

Services never ask Python's ``threading`` or ``time`` themselves.  In production :class:`Runtime` hands out just these;
the simulation (``lab/simulation``) hands out its own, in which one scheduler decides who goes on, and time passes only
when nobody can.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Protocol


class Startable(Protocol):
    """What a service needs of a thread."""

    def start(self) -> None:
        """Begin."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most so many seconds."""

    def is_alive(self) -> bool:
        """Whether it runs."""


class Runtime:
    """This machine's own threads, locks and clocks."""

    def thread(self, name: str, target: Callable[[], None]) -> Startable:
        """A thread that ends with the process; not started yet."""
        return threading.Thread(target=target, name=name, daemon=True)

    def lock(self) -> Any:
        """A lock, as :class:`threading.Lock`."""
        return threading.Lock()

    def condition(self, lock: Any = None) -> threading.Condition:
        """A condition, with a lock of its own unless one is given."""
        return threading.Condition(lock)

    def event(self) -> threading.Event:
        """A flag one can wait for."""
        return threading.Event()

    def mailbox(self) -> SimpleQueue[Any]:
        """A queue between threads; ``get(timeout=…)`` raises :class:`queue.Empty`."""
        return SimpleQueue()

    def workers(self, count: int, name: str) -> Executor:
        """So many threads that do what is submitted."""
        return ThreadPoolExecutor(count, name)

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        time.sleep(seconds)

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since 1970, by this machine's clock."""
        return time.time()

    def between(self, low: float, high: float) -> float:
        """Any number between these, so that two who met once do not meet again."""
        return random.uniform(low, high)  # noqa: S311 (not a secret)

    def token(self) -> str:
        """Eight characters nobody else has."""
        return secrets.token_hex(4)


_current = Runtime()


def runtime() -> Runtime:
    """The runtime in force."""
    return _current


def use_runtime(chosen: Runtime | None) -> None:
    """Live in another world from now on; None: in this one again."""
    global _current
    _current = chosen or Runtime()

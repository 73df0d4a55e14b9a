"""A circuit breaker: who did not answer several times in a row is left alone for a while.

::

    closed ──BREAKER_FAILURES in a row──> open ──BREAKER_SECONDS──> half-open: one call tries ──works──> closed
       ^                                   ^                                └──fails──> open
       '── every call goes through         '── no call goes through

The states and their rules are pybreaker's.  The calls are not made through it, since it holds its lock while a call
lasts, and so would make them one after another; it is told what came of them.  https://martinfowler.com/bliki/CircuitBreaker.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pybreaker

from patterns.errors import NotAsked, ServerUnavailable
from patterns.logs import get_logger
from patterns.runtime import runtime
from patterns.settings import settings


class Breaker:
    """Guards the calls to one server; may be used from any thread.  ``since`` (seconds since 1970): its last change."""

    def __init__(self, service: str, name: str) -> None:
        config = settings()
        self.name, self.since, self.because = name, runtime().now(), ""
        self._service, self._seconds = service, config.breaker_seconds
        self._lock = runtime().lock()
        self._trial_at = 0.0
        self._rules = pybreaker.CircuitBreaker(
            fail_max=config.breaker_failures, throw_new_error_on_trip=False, listeners=[_Changes(self)], name=name
        )

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        return self._rules.current_state

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Make a call in here.  Raises NotAsked instead while the breaker is open; counts ServerUnavailable as failure."""
        self.admit()
        try:
            yield
        except ServerUnavailable as error:
            self.failed(str(error))
            raise
        self.worked()

    def admit(self) -> None:
        """Let a call through.  Raises NotAsked while the breaker is open, and while another call tries."""
        with self._lock:
            if self.state == pybreaker.STATE_CLOSED:
                return
            left = self._trial_at - runtime().monotonic()
            if left > 0:
                raise NotAsked(f"{self.name} is left alone for another {left:.1f} s: {self.because}")
            # The next one may try when we never hear of this one.
            self._trial_at = runtime().monotonic() + self._seconds
            self._rules.half_open()

    def worked(self) -> None:
        """A call was answered."""
        with self._lock:
            if self.state == pybreaker.STATE_OPEN:
                self._rules.close()  # a call from before it opened: it is back already
            else:
                self._rules.call(lambda: None)

    def failed(self, because: str) -> None:
        """A call was not answered."""
        with self._lock:
            self.because = because
            if self.state != pybreaker.STATE_OPEN:
                self._count(ServerUnavailable(because))
            if self.state == pybreaker.STATE_OPEN:
                self._trial_at = max(self._trial_at, runtime().monotonic() + self._seconds)

    def _count(self, error: ServerUnavailable) -> None:
        def fail() -> None:
            raise error

        with suppress(ServerUnavailable):
            self._rules.call(fail)

    def changed(self, to: str) -> None:
        """Note a change of state."""
        self.since = runtime().now()
        get_logger(self._service).warning(
            "The breaker of %s is %s%s", self.name, to, f": {self.because}" if to == pybreaker.STATE_OPEN else ".",
            extra={"action": f"breaker_{to.replace('-', '_')}"},
        )


class _Changes(pybreaker.CircuitBreakerListener):
    """Hears of changes from pybreaker."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:  # noqa: ARG002 (pybreaker's signature)
        self._breaker.changed(new_state.name)

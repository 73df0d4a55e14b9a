"""Whether a shop has come to a stop with something open: no message is left that could close it."""

from __future__ import annotations

import time
from collections.abc import Callable


class Stuck:
    """Hears again and again what is under way; after so many seconds of the same, and no message, it is stuck.

    A retry waits in a queue of its own, what nobody has published yet in an outbox: both are seen.  What a service has in
    its hands is not, so the seconds must be more than handling a message takes.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._left: list[str] | None = None
        self._since = 0.0

    def still(self, left: list[str]) -> bool:
        """Whether this is how it stays; never where no seconds were given."""
        if left != self._left or any("outbox" in each or " messages in " in each for each in left):
            self._left, self._since = list(left), self._clock()
        return self._seconds is not None and self._clock() - self._since >= self._seconds

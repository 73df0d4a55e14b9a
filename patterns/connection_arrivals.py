"""What was delivered to a channel and not taken yet."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from patterns.amqp import Cancelled, Delivery
from patterns.errors import BrokerUnavailable


class Arrivals:
    """Filled by the connection's thread, emptied by whoever takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._items: deque[Delivery | Cancelled] = deque()
        self._woken = False
        self._lost: BrokerUnavailable | None = None

    def add(self, came: Sequence[Delivery | Cancelled]) -> None:
        """These arrived, in this order."""
        with self._changed:
            self._items.extend(came)
            self._changed.notify_all()

    def take(self, limit: int, timeout: float | None) -> list[Delivery | Cancelled]:
        """Wait until something arrived, then hand out all that is there, at most ``limit``."""
        with self._changed:
            self._changed.wait_for(self._stirred, timeout)
            if self._lost is not None:
                raise self._lost.with_traceback(None)
            self._woken = False
            return [self._items.popleft() for _ in range(min(limit, len(self._items)))]

    def wake(self) -> None:
        """Make the current or next take return at once."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def end(self, lost: BrokerUnavailable) -> None:
        """The channel is gone, and with it what was not taken: the broker delivers that again, to whoever comes next."""
        with self._changed:
            self._lost = lost
            self._items.clear()
            self._changed.notify_all()

    def _stirred(self) -> bool:
        return bool(self._items) or self._woken or self._lost is not None

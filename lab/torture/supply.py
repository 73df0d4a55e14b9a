"""The supply of orders: how many may begin, and which is next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab.torture.wishes import Wish

FLOW_SECONDS = 0.4
"""The pace at which orders come while something is broken and nothing else is left to begin."""


class Supply:
    """Wishes without end, of which as many may begin as were permitted."""

    def __init__(self, wishes: Iterator[Wish]) -> None:
        self.begun: list[Wish] = []
        """What was begun, in this order."""
        self._wishes = wishes
        self._permitted = 0
        self._closing = False
        self._turn = threading.Condition()

    def permit(self, orders: int) -> None:
        """Let so many more begin."""
        self.permit_up_to(self._permitted + orders)

    def permit_up_to(self, orders: int) -> None:
        """Let so many begin, counted from the first."""
        with self._turn:
            self._permitted = max(self._permitted, orders)
            self._turn.notify_all()

    def last_call(self) -> None:
        """Nothing more will be permitted: who waits for more is told that there is none."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()

    def take(self, seconds: float) -> Wish | None:
        """The next one, waited for; None when there will be none, or not in this time."""
        with self._turn:
            self._turn.wait_for(lambda: self.left or self._closing, max(0.0, seconds))
            if not self.left:
                return None
            self.begun.append(next(self._wishes))
            return self.begun[-1]

    @property
    def left(self) -> bool:
        """Whether any may begin that has not."""
        return len(self.begun) < self._permitted

    @contextmanager
    def flowing(self, wanted: Callable[[], bool]) -> Iterator[None]:
        """For so long orders do not cease: where none may begin, another may, at a gentle pace, if it is wanted."""
        over = threading.Event()
        thread = threading.Thread(target=self._flow, args=(over, wanted), name="flow", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _flow(self, over: threading.Event, wanted: Callable[[], bool]) -> None:
        while not over.wait(FLOW_SECONDS):
            if not self.left and wanted():
                self.permit(1)

"""What was delivered and not taken yet: whoever waits for it is told, and the end is told before what is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from patterns.amqp import Cancelled
from patterns.connection_arrivals import Arrivals
from patterns.errors import ConnectionLost

SOON = 5.0
ITEM = Cancelled("q", "tag")


class Awaited(threading.Condition):
    """A condition that tells when somebody begins to wait for it."""

    def __init__(self) -> None:
        super().__init__(threading.Lock())
        self.begun = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.begun.set()
        return super().wait(timeout)


def taken(arrivals: Arrivals, meanwhile: Callable[[Arrivals], None]) -> Any:
    """What somebody takes who waited already when it happened."""
    arrivals._changed = changed = Awaited()
    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(arrivals.take, 9, 2 * SOON)
        assert changed.begun.wait(SOON)
        meanwhile(arrivals)
        return taking.result(SOON)


@pytest.mark.parametrize(("meanwhile", "found"), [(lambda it: it.add([ITEM, ITEM]), [ITEM, ITEM]), (Arrivals.wake, [])])
def test_whoever_waits_is_told(meanwhile: Callable[[Arrivals], None], found: list[Any]) -> None:
    assert taken(Arrivals(), meanwhile) == found


def test_whoever_waits_hears_of_the_end() -> None:
    with pytest.raises(ConnectionLost, match="gone"):
        taken(Arrivals(), lambda it: it.end(ConnectionLost("gone")))


def test_a_wake_counts_once() -> None:
    arrivals = Arrivals()
    arrivals.wake()
    assert arrivals.take(1, None) == [] == arrivals.take(1, 0) and not arrivals._stirred()


def test_what_was_not_taken_before_the_end_is_for_whoever_comes_next() -> None:
    arrivals = Arrivals()
    arrivals.add([ITEM])
    for _ in range(2):
        arrivals.end(ConnectionLost("gone"))
        with pytest.raises(ConnectionLost, match="gone"):
            arrivals.take(1, None)
    assert not arrivals._items

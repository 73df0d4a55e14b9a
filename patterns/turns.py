"""Turns: requests that may wait long hold some of a service's threads, never all of them.

Each request is answered in one of 40 threads (anyio's default, which Starlette uses).  Were all of them waiting for
answers that do not come, ``/readyz`` and every short request would wait for them.  So at most AT_ONCE requests that may
wait are let in; the others stand in a row that holds no thread, and their time runs meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request

from patterns.runtime import runtime

AT_ONCE = 32
"""More than those who may wait because they asked to (WAITERS_AT_ONCE, at most 30); fewer than there are threads."""


def turns() -> CapacityLimiter:
    """A service's turns; to be made in its event loop."""
    return CapacityLimiter(AT_ONCE)


async def _turn(request: Request) -> AsyncIterator[float]:
    arrived = runtime().monotonic()
    async with request.app.state.turns:
        yield arrived


Arrived = Annotated[float, Depends(_turn)]
"""Waits its turn; the moment the request arrived (monotonic), from which on it counts how long it may wait."""

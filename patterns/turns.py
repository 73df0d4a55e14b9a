"""Turns: requests that may wait long hold some of a service's threads, never all of them.

Each request is answered in one of 40 threads (anyio's default, which Starlette uses).  Were all of them waiting for
answers that do not come, ``/readyz`` and every short request would wait for them.  So at most AT_ONCE requests that may
wait are let in; the others stand in a row that holds no thread, and their time runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Annotated, Any

from anyio import CapacityLimiter
from fastapi import Depends, Request

from patterns.runtime import runtime
from patterns.web_bodies import in_a_thread

AT_ONCE = 32
"""More than those who may wait because they asked to (WAITERS_AT_ONCE, at most 30); fewer than there are threads."""


def turns() -> CapacityLimiter:
    """A service's turns; to be made in its event loop."""
    return CapacityLimiter(AT_ONCE)


def in_turn(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """An endpoint that may wait long: each request waits its turn before it gets a thread.  It takes the ``request``.

    As a dependency that gives the turn back afterwards, this costs a request a twentieth more.
    """
    answered = in_a_thread(endpoint)

    @wraps(endpoint)
    async def answered_in_turn(request: Request, **given: Any) -> Any:
        async with request.app.state.turns:
            return await answered(request=request, **given)

    return answered_in_turn


async def _now() -> float:
    return runtime().monotonic()


Arrived = Annotated[float, Depends(_now)]
"""The moment the request arrived (monotonic), from which on it counts how long it may wait."""

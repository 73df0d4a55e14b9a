"""A test that runs in simulated time: nothing is waited for in earnest, and what would wait for ever fails at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from lab.simulation.scheduler import Process, Scheduler
from lab.simulation.threads import SimulatedRuntime
from patterns.runtime import runtime, use_runtime

P = ParamSpec("P")


def in_simulated_time(test: Callable[P, None]) -> Callable[P, None]:
    """Run a test as a task of a simulation, in which time passes only when nobody can go on."""

    @wraps(test)
    def simulated(*args: P.args, **kwargs: P.kwargs) -> None:
        scheduler, process = Scheduler(seed=1), Process("test")
        use_runtime(SimulatedRuntime(scheduler))
        try:
            task = scheduler.spawn("test", process, lambda: test(*args, **kwargs))
            scheduler.run(lambda: task.done)
            assert task.done, "it waits for ever"
        finally:
            scheduler.kill(process)
            use_runtime(None)

    return simulated


def let_pass(seconds: float) -> None:
    """Let so much simulated time pass, in which all others go on."""
    runtime().event().wait(seconds)  # that nobody sets

"""How fast the simulation is: ``python -m lab.simulation.pace``.

Runs of one order in every mode, and drawn days.  Processor time is what counts, the least of several times: other programs
disturb it least.  Calls of functions do not depend on the machine at all.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
import sys
from collections.abc import Callable, Sequence
from time import process_time

from lab.simulation.endings import one_order
from lab.simulation.run import Result
from lab.simulation.swarm import draw
from patterns.settings import MODES

Run = Callable[[], Result]

DAYS = 12


def main(times: int = 5) -> None:
    """Print a line for each."""
    tell("one order", [one_order(mode).run for mode in MODES], times)
    tell("a drawn day", [draw(MODES[seed % len(MODES)], seed).run for seed in range(DAYS)], times)


def tell(what: str, runs: Sequence[Run], times: int) -> None:
    """Run each so many times, and say what a run took."""
    results = [run() for run in runs]  # also what is done only once in a process
    gc.collect()
    gc.freeze()
    seconds = sum(min(seconds_of(run) for _ in range(times)) for run in runs)
    calls = sum(calls_of(run) for run in runs)
    faults, steps = sum(one.happened.total() for one in results), sum(one.steps for one in results)
    print(
        f"{what}: {seconds / len(runs) * 1000:.1f} ms of processor time, {calls / len(runs):,.0f} calls; "
        f"{faults / seconds:,.0f} faults and {steps / seconds:,.0f} steps in a second"
    )


def seconds_of(run: Run) -> float:
    """How much processor time it takes."""
    began = process_time()
    run()
    return process_time() - began


def calls_of(run: Run) -> int:
    """How many functions it calls, of Python and of C."""
    profile = cProfile.Profile()
    profile.runcall(run)
    calls: int = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]  # not in the stubs
    return calls


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))

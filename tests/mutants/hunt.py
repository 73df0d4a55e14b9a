"""The hunt: seeds until a check fires."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lab.simulation.case import Case
from lab.simulation.faults import KINDS
from lab.simulation.run import simulate
from lab.simulation.workload import Workload
from tests.mutants.checks import which
from tests.mutants.mutant import Mutant

BUDGET = 500
"""Seeds; a mutant that lives longer fails the build."""


@dataclass(frozen=True)
class Catch:
    """A mutant that was caught: in which case, and what was said."""

    mutant: Mutant
    seeds: int
    mode: str
    case: Case
    said: str

    @property
    def check(self) -> str:
        """The check that noticed first."""
        return which(self.said)


def hunt(mutant: Mutant, seeds: int = BUDGET, first: int = 0) -> Catch | None:
    """Simulate with one seed after another until something is noticed; None if nothing is."""
    with mutant.applied():
        for tried in range(seeds):
            seed = first + tried
            mode = mutant.modes[seed % len(mutant.modes)]
            if (catch := _tried(mutant, mode, seed)) is not None:
                return replace(catch, seeds=tried + 1)
    return None


def _tried(mutant: Mutant, mode: str, seed: int) -> Catch | None:
    return run_once(mutant, mode, mutant.day(mode), seed, mutant.rate, 1 + seed // len(mutant.modes) % 2)


def run_once(mutant: Mutant, mode: str, workload: Workload, seed: int, rate: float, instances: int) -> Catch | None:
    """One run with random faults; None when nothing is noticed."""
    result = simulate(workload, seed, rate=rate, weights=weights_of(mutant), instances=instances)
    said = noticed(mutant, result.broken)
    return None if said is None else Catch(mutant, 1, mode, Case(workload, seed, result.plan, instances), said)


def noticed(mutant: Mutant, broken: list[str]) -> str | None:
    """What was said first; where another layer is off too, only what is expected counts: the rest may be that layer's."""
    counts = (one for one in broken if mutant.without is None or which(one) in mutant.fires)
    return next((in_a_line(one) for one in counts), None)


def weights_of(mutant: Mutant) -> dict[str, float]:
    """The kinds of fault it is hunted with."""
    return {kind: 1.0 for kind in mutant.faults or KINDS if kind not in mutant.leave_out}


def in_a_line(said: str) -> str:
    """What a check said, without the statements that a driver quotes."""
    return said.splitlines()[0]


def control(catch: Catch) -> str:
    """What the same run breaks with every defence in its place: nothing, or the catch says nothing.

    It has all the time there is: some days keep a service away for longer than a hunt waits.  Where the other layer is
    off, it stays off: what counts then is what the catch is about, not what that other layer alone would have noticed.
    """
    with catch.mutant.alone():
        broken = catch.case.run().broken
    return "; ".join(one for one in broken if catch.mutant.without is None or which(one) == catch.check)

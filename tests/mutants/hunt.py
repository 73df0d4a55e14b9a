"""The hunt: seeds until a check fires, then the smallest case in which it still does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lab.simulation.case import Case
from lab.simulation.faults import KINDS
from lab.simulation.run import simulate
from lab.simulation.workload import Workload
from tests.mutants.checks import which
from tests.mutants.days import SMALL_DAYS
from tests.mutants.mutant import Mutant

BUDGET = 500
"""Seeds; a mutant that lives longer fails the build."""

SHRINKS = 80
"""How many smaller cases are tried."""

SMALL_SEEDS, SMALL_RATE = 30, 6.0
"""With so many seeds each small day is tried, so many places in a thousand broken: about one in a run."""


def size(case: Case) -> tuple[int, ...]:
    """Smaller is easier to understand: faults, then orders, then what else happens."""
    work = case.workload
    fuss = sum(wish.asks + (wish.cancel_after is not None) + len(wish.items) + (wish.at > 0) for wish in work.wishes)
    return len(case.plan), len(work.wishes), len(work.chores), case.instances, fuss, int(case.switching * 10)


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
    return _run(mutant, mode, mutant.day(mode), seed, mutant.rate, 1 + seed // len(mutant.modes) % 2)


def _run(mutant: Mutant, mode: str, workload: Workload, seed: int, rate: float, instances: int) -> Catch | None:
    result = simulate(workload, seed, rate=rate, weights=weights_of(mutant), instances=instances)
    if not result.broken:
        return None
    return Catch(mutant, 1, mode, Case(workload, seed, result.plan, instances), in_a_line(result.broken[0]))


def smallest(catch: Catch) -> Catch:
    """The smallest case there is time to find: first small days are tried, then what is found is made smaller still."""
    found = [catch, *_on_small_days(catch)]
    return shrink(min(found, key=lambda one: size(one.case)))


def _on_small_days(catch: Catch) -> Iterator[Catch]:
    """One catch for each small day on which the same check notices within some seeds."""
    mutant = catch.mutant
    with mutant.applied():
        for day in SMALL_DAYS:
            for seed in range(SMALL_SEEDS):
                small = _run(mutant, catch.mode, day(catch.mode), seed, mutant.rate and SMALL_RATE, 1)
                if small is not None and small.check == catch.check:
                    yield replace(small, seeds=catch.seeds)
                    break


def weights_of(mutant: Mutant) -> dict[str, float]:
    """The kinds of fault it is hunted with."""
    return {kind: 1.0 for kind in mutant.faults or KINDS if kind not in mutant.leave_out}


def in_a_line(said: str) -> str:
    """What a check said, without the statements that a driver quotes."""
    return said.splitlines()[0]


def control(catch: Catch) -> str:
    """What the same run breaks with every defence in its place: nothing, or the catch says nothing.

    It has all the time there is: some days keep a service away for longer than a hunt waits.
    """
    return "; ".join(catch.case.run().broken)


def shrink(catch: Catch, most: int = SHRINKS) -> Catch:
    """The smallest case that is found in so many tries and in which the same check notices, if it can be, else any."""
    best, tries = catch, 0
    with catch.mutant.applied():
        smaller = _smaller(best.case)
        while tries < most and (case := next(smaller, None)) is not None:
            tries += 1
            result = case.run()
            if result.broken and which(result.broken[0]) == best.check:
                # What the run really met: a place beyond its end is no fault.
                case = replace(case, plan=result.plan)
                if size(case) < size(best.case):
                    best, smaller = replace(best, case=case, said=in_a_line(result.broken[0])), _smaller(case)
    return best


def _smaller(case: Case) -> Iterator[Case]:
    """Cases that are a step smaller, the boldest first."""
    faults, work = sorted(case.plan.items()), case.workload
    if len(work.wishes) + len(work.chores) > 1:
        for wish in work.wishes:
            yield replace(case, workload=replace(work, wishes=(wish,), chores=()))
    half = len(faults)
    while half >= 1:
        for start in range(0, len(faults), half):
            yield replace(case, plan=dict(faults[:start] + faults[start + half:]))
        half //= 2
    for number in range(len(work.wishes) if len(work.wishes) > 1 else 0):
        yield replace(case, workload=replace(work, wishes=work.wishes[:number] + work.wishes[number + 1:]))
    for number in range(len(work.chores)):
        yield replace(case, workload=replace(work, chores=work.chores[:number] + work.chores[number + 1:]))
    if case.instances > 1:
        yield replace(case, instances=1)
    for number, wish in enumerate(work.wishes):
        plainer = [replace(wish, asks=1), replace(wish, cancel_after=None), replace(wish, at=0.0),
                   *(replace(wish, items=(item,)) for item in wish.items)]
        for one in plainer:
            if one != wish:
                yield replace(case, workload=replace(work, wishes=(*work.wishes[:number], one, *work.wishes[number + 1:])))
    if case.switching:
        yield replace(case, switching=0.0)
    # The same with another schedule: a fault that came together with luck may do alone.
    for seed in range(case.seed + 1, case.seed + 5) if len(faults) > 1 else ():
        for left_out, _ in faults:
            yield replace(case, seed=seed, plan={place: kind for place, kind in faults if place != left_out})

"""The smallest case: of a catch in a busy day, one that a reader can follow."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from lab.simulation.case import Case
from lab.simulation.endings import ENDINGS, one_order
from lab.simulation.exhaustive import everything, places
from tests.mutants.checks import which
from tests.mutants.days import SMALL_DAYS
from tests.mutants.hunt import Catch, noticed, run_once

SHRINKS = 80
"""How many smaller cases are tried."""

SMALL_SEEDS, SMALL_RATE = 30, 6.0
"""With so many seeds each small day is tried, so many places in a thousand broken: about one in a run."""

PLACED = 60
"""So many single faults are tried, each in a day of one order."""


def size(case: Case) -> tuple[int, ...]:
    """Smaller is easier to understand: faults, then orders, then what else happens."""
    work = case.workload
    fuss = sum(wish.asks + (wish.cancel_after is not None) + len(wish.items) + (wish.at > 0) for wish in work.wishes)
    return len(case.plan), len(work.wishes), len(work.chores), case.instances, fuss, int(case.switching * 10)


def smallest(catch: Catch, known: Catch | None = None) -> Catch:
    """The smallest case there is time to find: one order with as few faults as will do, else a busy day made smaller.

    ``known``: what was the smallest before; it stays, if it still shows the same, unless a smaller one is found.
    """
    found = [catch, *(_those_that_fire(catch, iter([known.case])) if known is not None else ())]
    for simpler in (_no_fault, _few_faults):
        found += islice(simpler(catch), 1)
        if is_small(min(found, key=_by_size).case):
            break
    best = shrink(min(found, key=_by_size))
    return best if is_small(best.case) else min([best, *islice(_one_fault(best), 1)], key=_by_size)


def is_small(case: Case) -> bool:
    """One order, one fault at most: it need not be smaller."""
    return len(case.plan) <= 1 and len(case.workload.wishes) <= 1


def _by_size(catch: Catch) -> tuple[int, ...]:
    return size(catch.case)


def _no_fault(catch: Catch) -> Iterator[Catch]:
    """One order, each of its endings, nothing broken."""
    yield from _those_that_fire(catch, (one_order(catch.mode, ending) for ending in ENDINGS))


def _few_faults(catch: Catch) -> Iterator[Catch]:
    """Small days on which a check notices, with about one fault in a run."""
    mutant = catch.mutant
    with mutant.applied():
        for day in SMALL_DAYS:
            for seed in range(SMALL_SEEDS):
                run = run_once(mutant, catch.mode, day(catch.mode), seed, mutant.rate and SMALL_RATE, 1)
                if run is not None and _says_as_much(run, catch):
                    yield replace(run, seeds=catch.seeds)


def _one_fault(catch: Catch) -> Iterator[Catch]:
    """One order, one fault of the kinds that were met, at places picked at random."""
    kinds = set(catch.case.plan.values())
    placed = [one for ending in ENDINGS[:1] + ENDINGS[-3:] for one in _placed(catch, one_order(catch.mode, ending), kinds)]
    some = random.Random(catch.mutant.name).sample(placed, min(PLACED, len(placed)))
    yield from _those_that_fire(catch, iter(some))


def _placed(catch: Catch, case: Case, kinds: set[str]) -> list[Case]:
    with catch.mutant.applied():
        try:
            visits = places(case)
        except AssertionError:
            return []  # it breaks something without any fault, and that is another check's: it was looked at before
    return [replace(case, plan={visit.number: kind}) for visit, kind in everything(visits) if kind in kinds]


def _those_that_fire(catch: Catch, cases: Iterator[Case]) -> Iterator[Catch]:
    with catch.mutant.applied():
        for case in cases:
            if said := noticed(catch.mutant, case.run().broken):
                found = replace(catch, case=case, said=said)
                if _says_as_much(found, catch):
                    yield found


def _says_as_much(one: Catch, other: Catch) -> bool:
    """Whether the same check noticed, or the one that was expected to."""
    return one.check in (other.check, *other.mutant.fires)


def shrink(catch: Catch, most: int = SHRINKS) -> Catch:
    """The smallest case that is found in so many tries and in which the same check notices."""
    best, tries = catch, 0
    with catch.mutant.applied():
        smaller = _smaller(best.case)
        while tries < most and (case := next(smaller, None)) is not None:
            tries += 1
            result = case.run()
            said = noticed(best.mutant, result.broken)
            if said and which(said) == best.check:
                # What the run really met: a place beyond its end is no fault.
                case = replace(case, plan=result.plan)
                if size(case) < size(best.case):
                    best, smaller = replace(best, case=case, said=said), _smaller(case)
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

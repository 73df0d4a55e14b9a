"""Everything that can go wrong in a small case: each kind of fault at each place, one at a time.

The run without faults tells which places there are; a run with a fault at one of them is the same up to there.  (To fork
at each place instead of beginning again was tried: copying the memory costs as much as beginning again.)

Some of it comes to the same.  What befalls a process or the broker between two calls of a thread finds the same world
while nothing was done that another could see: within a transaction until its commit, between a commit and the publish or
ack that follows, between a delivery and its transaction.  And until the services have started, all modes and endings are
the same run.  :func:`representatives` tries such things once, ``nightly`` everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from lab.simulation.case import Case
from lab.simulation.faults import AT, EVERYWHERE, Visit
from lab.simulation.run import simulate

Choose = Callable[[list[Visit]], Iterator[tuple[Visit, str]]]
"""Which faults are tried, of all that there are."""

UNSEEN: Mapping[str, tuple[str, ...]] = {
    "sql": ("sql", "commit"), "committed": ("publish", "ack"), "published": ("begin",), "take": ("begin",),
}
"""A place, and those a thread comes to next without a pause and without having done anything that another could see."""


def places(case: Case) -> list[Visit]:
    """Every place of a case, in order.  Raises AssertionError when it breaks a promise by itself."""
    found: list[Visit] = []

    def note(visit: Visit) -> str | None:
        found.append(visit)
        return case.plan.get(visit.number)

    result = simulate(case.workload, case.seed, plan=note, instances=case.instances, switching=case.switching)
    assert not result.broken, result.broken  # noqa: S101 (before anything is added to it)
    return found


def everything(visits: list[Visit]) -> Iterator[tuple[Visit, str]]:
    """Each kind at each place."""
    for visit in visits:
        for kind in (*EVERYWHERE, *AT.get(visit.place, ())):
            yield visit, kind


def representatives(visits: list[Visit], turn: int = 0, turns: int = 1) -> Iterator[tuple[Visit, str]]:
    """Each kind at each place, but once only what comes to the same; of the start, every ``turns``-th fault (0: none)."""
    begun = max((visit.number for visit in visits if visit.place == "consume"), default=0)
    repeated = {visit.number for visit, after in pairwise(visits) if comes_to_the_same(visit, after)}
    for number, visit in enumerate(visits):
        for other, kind in enumerate((() if visit.number in repeated else EVERYWHERE) + AT.get(visit.place, ())):
            if visit.number > begun or (turns and (number + other) % turns == turn):
                yield visit, kind


def comes_to_the_same(visit: Visit, after: Visit) -> bool:
    """Whether what befalls a process or the world here finds the same as at the next place."""
    return (visit.process, visit.task) == (after.process, after.task) and after.place in UNSEEN.get(visit.place, ())


def singles(case: Case, choose: Choose = everything) -> Iterator[Case]:
    """The case with each one of these faults added."""
    last = max(case.plan, default=0)
    for visit, kind in choose([visit for visit in places(case) if visit.number > last]):
        yield replace(case, plan={**case.plan, visit.number: kind})

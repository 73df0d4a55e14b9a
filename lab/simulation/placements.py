"""The tier ``placements``: one order, one fault, at every place, of every kind, in every mode."""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice

from lab.simulation.case import Case
from lab.simulation.exhaustive import everything, one_order, representatives, singles
from lab.simulation.faults import KINDS
from lab.verify.tier import Asked, Tally, Tell, Tier, Violation
from patterns.settings import MODES

PARTS = 8
"""Slices of each mode; a slice takes half a minute or so."""

PAIRS = 2_000
"""Pairs of faults in a nightly slice, picked at random; all pairs of one mode would be some millions."""


def slices(asked: Asked) -> Iterable[Asked]:
    """So many parts of each mode; a part's place among them is in its seed."""
    share = None if asked.faults is None else -(-asked.faults // (len(asked.modes) * PARTS))
    for part in range(PARTS):
        for mode in asked.modes:
            yield replace(asked, modes=(mode,), seed=asked.seed * PARTS + part, faults=share)


def cases(asked: Asked) -> Iterator[Case]:
    """What a slice runs: every PARTS-th placement; at night pairs as well; or only so many, picked by the seed."""
    for mode in asked.modes:
        once = partial(representatives, turn=MODES.index(mode), turns=len(MODES))
        found = list(singles(one_order(mode), everything if asked.size == "nightly" else once))
        mine = found[asked.seed % PARTS :: PARTS]
        chance = random.Random(f"{mode} {asked.seed}")  # noqa: S311 (a choice, not a secret)
        if asked.faults is not None:
            mine = chance.sample(mine, min(asked.faults, len(mine)))
        yield from mine
        if asked.size == "nightly" and asked.faults is None:
            yield from islice(pairs(found, chance), PAIRS)


def pairs(found: list[Case], chance: random.Random) -> Iterator[Case]:
    """Single faults with a second one after the first, at random."""
    while True:
        first = chance.choice(found)
        seconds = list(singles(first))
        yield from chance.sample(seconds, min(20, len(seconds)))


def run(asked: Asked, tell: Tell) -> Tally:
    """Run a slice."""
    tally, todo = Tally(), list(cases(asked))
    gc.freeze()
    for number, case in enumerate(todo):
        add(tally, case)
        tell((number + 1) / len(todo))
    return tally


def add(tally: Tally, case: Case) -> None:
    """Run one case and count it."""
    result = case.run()
    tally.runs += 1
    tally.happened += Counter({f"{kind} @ {place}": count for (place, kind), count in result.happened.items()})
    tally.seen += Counter({f"orders {status}": count for status, count in result.outcomes.items()})
    tally.violations += [Violation(broken, case.command) for broken in result.broken[:1]]


def judge(asked: Asked, tally: Tally) -> list[str]:
    """Every kind must have come; a fault that was planned and did not come shows nothing."""
    kinds: Counter[str] = Counter()
    for name, count in tally.happened.items():
        kinds[name.split(" @ ")[0]] += count
    found = [f"{kind}: never" for kind in KINDS if not kinds[kind]] if asked.faults is None else []
    if tally.faults < tally.runs:
        found.append(f"{tally.runs} runs, and only {tally.faults} faults came")
    return found


TIER = Tier(
    name="placements", breaks="one order: every kind of fault at every place of its way", unit="runs", slices=slices,
    run=run, judge=judge, parallel=2,
)

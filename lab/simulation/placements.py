"""The tier ``placements``: one order, one fault, at every place, of every kind, in every mode, for every ending.

The size of a commit has every placement on the way to success, and of the other endings as many as there is time for,
others with each seed: :data:`TURNS` seeds together have them all, and so has a night.
"""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice

from lab.simulation.case import Case
from lab.simulation.endings import ENDINGS, one_order
from lab.simulation.exhaustive import everything, representatives, singles
from lab.simulation.faults import KINDS
from lab.verify.tier import Asked, Tally, Tell, Tier, Violation
from patterns.settings import MODES

PARTS = 4
"""Slices of each mode; a slice takes a quarter of a minute or so, of which a second is for loading the shop."""

TURNS = 48
"""So many seeds of the commit's size together have every placement of every ending."""

PAIRS = 2_000
"""Pairs of faults in a nightly slice, picked at random; all pairs of one mode would be some millions."""


def slices(asked: Asked) -> Iterable[Asked]:
    """So many parts of each mode; a part's place among them is in its seed."""
    share = None if asked.faults is None else -(-asked.faults // (len(asked.modes) * PARTS))
    for part in range(PARTS):
        for mode in asked.modes:
            yield replace(asked, modes=(mode,), seed=asked.seed * PARTS + part, faults=share)


def cases(asked: Asked) -> Iterator[tuple[str, Case]]:
    """What a slice runs, each with its ending; at night pairs as well; or only so many, picked by the seed."""
    for mode in asked.modes:
        chance = random.Random(f"{mode} {asked.seed}")  # noqa: S311 (a choice, not a secret)
        if asked.faults is not None:
            for ending in chance.sample(ENDINGS, min(len(ENDINGS), asked.faults)):
                some = placements(mode, ending, once=True)
                yield from ((ending, one) for one in chance.sample(some, -(-asked.faults // len(ENDINGS))))
            continue
        for ending in ENDINGS:
            yield from ((ending, one) for one in share_of(asked, mode, ending))
        if asked.size == "nightly":
            yield from islice(pairs(mode, chance), PAIRS)


def share_of(asked: Asked, mode: str, ending: str) -> list[Case]:
    """The placements that fall to this slice, in the order of their places."""
    night = asked.size == "nightly"
    parts = PARTS if night or ending == ENDINGS[0] else PARTS * TURNS
    found = placements(mode, ending, once=not night)
    return [found[number] for number in sorted(_mixed(len(found))[asked.seed % parts :: parts])]


@lru_cache(maxsize=2 * len(ENDINGS))
def _mixed(many: int) -> list[int]:
    """Numbers out of their order: or a slice would have the same kinds of fault everywhere."""
    return random.Random(many).sample(range(many), many)  # noqa: S311 (a choice, not a secret)


@lru_cache(maxsize=len(ENDINGS))
def placements(mode: str, ending: str, *, once: bool) -> tuple[Case, ...]:
    """Each single fault; ``once``: only once what comes to the same, and what befalls the start with one ending."""
    if not once:
        return tuple(singles(one_order(mode, ending), everything))
    turns = len(MODES) if ending == ENDINGS[0] else 0
    return tuple(singles(one_order(mode, ending), partial(representatives, turn=MODES.index(mode), turns=turns)))


def pairs(mode: str, chance: random.Random) -> Iterator[tuple[str, Case]]:
    """Single faults with a second one after the first, at random."""
    while True:
        ending = chance.choice(ENDINGS)
        seconds = list(singles(chance.choice(placements(mode, ending, once=False))))
        yield from ((ending, one) for one in chance.sample(seconds, min(20, len(seconds))))


def run(asked: Asked, tell: Tell) -> Tally:
    """Run a slice."""
    tally, todo = Tally(), list(cases(asked))
    gc.freeze()
    for number, (ending, case) in enumerate(todo):
        add(tally, case)
        tally.seen[f"placed on the way to: {ending}"] += 1
        tell((number + 1) / len(todo))
    return tally


def add(tally: Tally, case: Case) -> None:
    """Run one case and count it."""
    result = case.run()
    tally.runs += 1
    tally.happened += Counter({f"{kind} @ {place}": count for (place, kind), count in result.happened.items()})
    tally.seen += Counter({f"orders {status}": count for status, count in result.outcomes.items()})
    tally.seen += Counter({"steps": result.steps, "places": result.places, "looks at what always holds": result.looks})
    tally.violations += [Violation(broken, case.command) for broken in result.broken[:1]]


def judge(asked: Asked, tally: Tally) -> list[str]:
    """Every kind must have come; a fault that was planned and did not come shows nothing."""
    kinds: Counter[str] = Counter()
    for name, count in tally.happened.items():
        kinds[name.split(" @ ")[0]] += count
    found: list[str] = []
    if asked.faults is None:
        found += [f"{kind}: never" for kind in KINDS if not kinds[kind]]
        found += [f"never on the way to: {end}" for end in ENDINGS if not tally.seen[f"placed on the way to: {end}"]]
    if tally.faults < tally.runs:
        found.append(f"{tally.runs} runs, and only {tally.faults} faults came")
    return found


TIER = Tier(
    name="placements", breaks="one order: every kind of fault at every place of its way", unit="runs", slices=slices,
    run=run, judge=judge, parallel=2,
)

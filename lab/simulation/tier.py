"""The simulation as a tier of ``orderflow verify``: seeds in all modes, until so many faults have come."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from lab.simulation.counting import CROSSED, SEEN
from lab.simulation.faults import KINDS
from lab.simulation.run import Result
from lab.simulation.swarm import draw
from lab.verify.tier import Asked, Size, Tally, Tell, Tier, Violation

FAULTS: dict[Size, int] = {"quick": 300, "commit": 120_000, "nightly": 2_000_000}

SLICE_FAULTS = 10_000
"""A slice is about half a minute."""

SEEDS_APART = 1_000_000
"""Slices take their seeds from ranges that do not meet."""

MOST_VIOLATIONS = 20
"""A slice that found so many has found enough."""

TWICE_EVERY = 100
"""One run of so many is done twice, and must be the same run."""

LEAST_OF_A_KIND = 50
LEAST_SHARE = 0.05
"""Each outcome's least share of all orders."""

FULL = 100_000
"""From so many faults on every kind must have come, and every defence must have been met."""


def slices(asked: Asked) -> Iterable[Asked]:
    """Each mode's share of the faults, in parts with seeds of their own."""
    share = -(-(asked.faults or FAULTS[asked.size]) // len(asked.modes))
    parts = max(round(share / SLICE_FAULTS), 1)
    for part in range(parts):
        for mode in asked.modes:
            yield replace(asked, modes=(mode,), seed=asked.seed + part * SEEDS_APART, faults=-(-share // parts))


def run_slice(asked: Asked, tell: Tell) -> Tally:
    """Run seed after seed until so many faults have come."""
    tally, faults = Tally(), asked.faults or FAULTS[asked.size]
    gc.freeze()  # what is loaded by now stays; looking through it again and again takes a tenth of the time
    for number in range(faults):  # also a run without faults counts as one, so that this ends
        if tally.faults >= faults or len(tally.violations) >= MOST_VIOLATIONS:
            break
        add(tally, asked.modes[number % len(asked.modes)], asked.seed + number, twice=number % TWICE_EVERY == 0)
        tell(min(tally.faults / faults, 1.0))
    return tally


def add(tally: Tally, mode: str, seed: int, *, twice: bool) -> None:
    """Do one run and count it; ``twice``: see that it repeats."""
    drawn = draw(mode, seed)
    result = drawn.run()
    again = f"orderflow simulate --drawn --mode {mode} --seed {seed}"
    if twice:
        tally.seen["runs done twice"] += 1
        if print_of(result) != print_of(drawn.run()):
            tally.violations.append(Violation("the same seed was another run", again))
    tally.runs += 1
    tally.seen["runs where transactions cross"] += drawn.store != "serial"
    tally.happened += Counter({f"{kind} @ {place}": count for (place, kind), count in result.happened.items()})
    tally.seen += result.seen + Counter({f"orders {status}": count for status, count in result.outcomes.items()})
    tally.seen += Counter({"steps": result.steps, "places": result.places, "looks at what always holds": result.looks})
    if result.broken:
        tally.violations.append(Violation("; ".join(result.broken), again))


def print_of(result: Result) -> object:
    """What is the same when a run is the same."""
    return result.fingerprint, result.plan, result.story, result.outcomes


def judge(asked: Asked, tally: Tally) -> list[str]:
    """What was hardly seen: each kind of fault, each outcome, each defence."""
    wanted = asked.faults or FAULTS[asked.size]
    kinds: Counter[str] = Counter()
    for name, count in tally.happened.items():
        kinds[name.split(" @ ")[0]] += count
    least = LEAST_OF_A_KIND * min(1.0, wanted / FULL)
    found = [f"{kind}: {kinds[kind]} times, at least {least:.0f} wanted" for kind in KINDS if kinds[kind] < least]
    outcomes = {status: tally.seen[f"orders {status}"] for status in ("SUCCESS", "FAILED")}
    orders = sum(outcomes.values())
    found += [f"{count} of {orders} orders {status}" for status, count in outcomes.items() if count < LEAST_SHARE * orders]
    if wanted >= FULL // 10:
        found += [f"never seen: {what}" for what in (*SEEN, "runs done twice") if not tally.seen[what]]
        share = min(1.0, wanted / FULL)
        found += [f"{what}: {tally.seen[what]}, at least {most * share:.0f} wanted"
                  for what, most in CROSSED.items() if tally.seen[what] < most * share]
    return found


TIER = Tier(
    name="simulation", breaks="the whole shop in one thread: processes, broker, databases, messages, clocks",
    unit="runs", slices=slices, run=run_slice, judge=judge, parallel=2,
)

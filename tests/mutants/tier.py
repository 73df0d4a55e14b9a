"""The tier ``mutants``: the shop with one defence taken away after the other; a mutant that survives fails the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lab.verify.tier import Asked, Size, Tally, Tell, Tier, Violation
from tests.mutants.crossing import CROSSINGS, control_crossing, hunt_crossing, postgres
from tests.mutants.hunt import BUDGET, control, hunt
from tests.mutants.mutant import Mutant
from tests.mutants.on_servers import ON_SERVERS, OnServers, hunt_on_servers
from tests.mutants.registry import MUTANTS

SEEDS: dict[Size, int] = {"quick": 40, "commit": BUDGET, "nightly": 10 * BUDGET}
A_SLICE = 8
"""Mutants."""

HARMLESS_SEEDS = 60
"""So often what should break nothing is tried."""

CROSSING, SERVERS = 999, 900
"""Stand where the first mutant's number stands: for the slice on PostgreSQL; for those on real servers, each its own."""


def slices(asked: Asked) -> Iterable[Asked]:
    """A few mutants each, told by the slice's seed: its first mutant's number comes after the asked seed.

    Those on servers come first: they wait much of their time, and the short ones fill the end.
    """
    firsts = [*range(0, len(MUTANTS), A_SLICE)]
    if asked.size != "quick":
        firsts = [*range(SERVERS, SERVERS + len(ON_SERVERS)), CROSSING, *firsts]
    return [replace(asked, seed=asked.seed * 1000 + first) for first in firsts]


def run(asked: Asked, tell: Tell) -> Tally:
    """Hunt this slice's mutants with fresh seeds, and run as many seeds again with nothing taken away."""
    tally = Tally()
    seed, first = divmod(asked.seed, 1000)
    if first == CROSSING:
        return _cross(tally, tell)
    if first >= SERVERS:
        return _on_servers(tally, list(ON_SERVERS.values())[first - SERVERS])
    chosen = [mutant for mutant in MUTANTS.values() if set(mutant.modes) & set(asked.modes)][first:first + A_SLICE]
    for number, mutant in enumerate(chosen):
        _one(tally, replace(mutant, modes=tuple(mode for mode in mutant.modes if mode in asked.modes)), seed, asked)
        tell((number + 1) / len(chosen))
    return tally


def _cross(tally: Tally, tell: Tell) -> Tally:
    """The guards that only transactions which meet can miss: no seed, every order of their statements that matters."""
    with postgres():
        for number, mutant in enumerate(CROSSINGS.values()):
            tally.runs += 1
            tally.happened["defence removed"] += 1
            again = f"python -m tests.mutants cross {mutant.name}"
            if (met := hunt_crossing(mutant)) is None and not mutant.harmless:
                tally.violations.append(Violation(f"{mutant.name} survived every order: {mutant.removed}", again))
            elif met is not None:
                tally.seen["mutants caught where transactions meet"] += 1
                if mutant.harmless or control_crossing(mutant) is not None:
                    tally.violations.append(Violation(f"{mutant.name}: {met.said}", again))
            tell((number + 1) / len(CROSSINGS))
    return tally


def _on_servers(tally: Tally, mutant: OnServers) -> Tally:
    """A defence that every process lacks, on real servers: the torture's audit must object."""
    tally.runs += 1
    tally.happened["defence removed"] += 1
    if hunt_on_servers(mutant):
        tally.seen["mutants caught on real servers"] += 1
    else:
        again = f"python -m tests.mutants servers {mutant.name}"
        tally.violations.append(Violation(f"{mutant.name} survived {', '.join(mutant.faults)}: {mutant.removed}", again))
    return tally


def _one(tally: Tally, mutant: Mutant, seed: int, asked: Asked) -> None:
    seeds = asked.faults or SEEDS[asked.size]
    seeds = min(seeds, HARMLESS_SEEDS) if mutant.harmless else seeds
    catch = hunt(mutant, seeds, first=seed * BUDGET)
    tally.runs += catch.seeds if catch else seeds
    tally.happened["defence removed"] += 1
    again = f"python -m tests.mutants {mutant.name}"
    if catch is None and not mutant.harmless:
        tally.violations.append(Violation(f"{mutant.name} survived {seeds} seeds: {mutant.removed}", again))
    elif catch is not None and mutant.harmless:
        tally.violations.append(Violation(f"{mutant.name} should break nothing, and {catch.said}", again))
    if catch is not None:
        tally.seen["mutants caught"] += 1
        tally.seen["at the first seed"] += catch.seeds == 1
        tally.seen["by the expected check"] += catch.check in mutant.fires
        # The same run with the defence in its place must break nothing, or the catch says nothing.
        if sound := control(catch):
            tally.violations.append(Violation(f"without any mutant: {sound}", catch.case.command))


def judge(asked: Asked, tally: Tally) -> list[str]:
    """Every mutant is hunted, and those that can break something are caught by what was meant to notice, mostly."""
    caught, hunted = tally.seen["mutants caught"], tally.happened["defence removed"]
    expected = tally.seen["by the expected check"]
    found = [] if hunted or not asked.modes else ["no mutant was hunted"]
    return found + ([f"expected checks: {expected} of {caught}"] if expected * 2 < caught else [])


TIER = Tier("mutants", "one defence after the other is taken away", "runs", slices, run, judge, parallel=2)

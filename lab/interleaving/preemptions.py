"""The tier ``preemptions``: transactions of real handlers on the simulated database, every order with up to two preemptions.

Two orders for the last piece, and a reservation against a release, in every mode; at night every other scenario that the
tier ``database`` plays on PostgreSQL as well.  No server is needed: a run takes some hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lab.interleaving.episode import SCENARIOS, Episode, Play
from lab.interleaving.few import FewPreemptions
from lab.interleaving.on_twin import TwinStage
from lab.interleaving.scenarios import Scenario
from lab.simulation.run import quietly
from lab.verify.tier import Asked, Size, Tally, Tell, Tier, Violation

IN_EVERY_MODE = ("two orders, one last piece", "the last piece goes back and is wanted", "a reservation and its release")
"""What the shop must never get wrong: exactly one gets it; and it is given back once."""

MOST: dict[Size, int] = {"quick": 1, "commit": 2, "nightly": 3}
"""Preemptions."""

RUNS = 400
"""Orders of one scenario in one mode; three transactions have more, and begin with the fewest."""


def slices(asked: Asked) -> Iterable[Asked]:
    """One for each mode."""
    return [replace(asked, modes=(mode,)) for mode in asked.modes]


def chosen(asked: Asked) -> Iterator[tuple[Scenario, str]]:
    """Scenarios of this mode: those that must hold in every mode; at night all others, in the modes they are told for."""
    for mode in asked.modes:
        for scenario in SCENARIOS:
            if scenario.name in IN_EVERY_MODE or (mode in scenario.modes and asked.size == "nightly"):
                yield scenario, mode


def episodes(scenario: Scenario, mode: str, most: int) -> Iterator[Episode]:
    """Every order of this scenario with so many preemptions, on the simulated database."""
    stage = TwinStage(scenario.service)
    with quietly(), stage.entered():
        play = Play(scenario, mode, stage)
        orders = FewPreemptions(most)
        while not orders.done:
            yield play.judged(orders.choose)
            orders.next()


def run(asked: Asked, tell: Tell) -> Tally:
    """Run a slice."""
    tally, todo = Tally(), list(chosen(asked))
    for number, (scenario, mode) in enumerate(todo):
        for count, episode in enumerate(episodes(scenario, mode, MOST[asked.size])):
            add(tally, episode)
            if count + 1 == (asked.faults or RUNS):
                break
        tell((number + 1) / len(todo))
    return tally


def add(tally: Tally, episode: Episode) -> None:
    """Count one."""
    tally.runs += 1
    tally.happened[f"order of {len(episode.crossing.actors)} transactions"] += 1
    tally.seen["lock wait"] += episode.crossing.waits
    tally.seen["deadlock"] += episode.crossing.deadlocks
    tally.seen += episode.met
    tally.violations += [Violation(f"{episode.scenario.name}: {what}", episode.again) for what in told(episode)]


def told(episode: Episode) -> list[str]:
    """What this order broke; of two orders for the last piece exactly one gets it, and the other is refused."""
    found = list(episode.broken)
    got, refused = episode.met["reserved"], episode.met["rejected"]
    if episode.scenario.name == "two orders, one last piece" and not found and (got, refused) != (1, 1):
        found.append(f"{got} reserved, {refused} refused")
    return found


def judge(asked: Asked, tally: Tally) -> list[str]:  # noqa: ARG001 (whatever was asked)
    """Orders in which nobody had to wait for anybody say little."""
    wanted = {"lock wait": 10, "refused": 10}
    return [f"{kind}: {tally.seen[kind]} in {tally.runs} orders" for kind, once_in in wanted.items()
            if tally.seen[kind] * once_in < tally.runs]


TIER = Tier(
    name="preemptions", breaks="transactions that meet, in every order with up to two preemptions", unit="orders",
    slices=slices, run=run, judge=judge, parallel=2,
)

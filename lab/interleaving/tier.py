"""The tier ``database``: transactions of real handlers on a private PostgreSQL, in every order that matters."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, islice

from lab.interleaving.episode import SCENARIOS, Episode, Play
from lab.interleaving.likeness import Twin
from lab.interleaving.on_postgres import stages
from lab.interleaving.scenarios import Scenario
from lab.servers import Databases, PrivatePostgres
from lab.verify.tier import Asked, Size, Tally, Tell, Tier, Violation
from patterns.settings import configure, settings
from patterns.shop import SERVICES

EPISODES: dict[Size, int] = {"quick": 240, "commit": 2_000, "nightly": 50_000}
A_SLICE = 500
MOST_SLICES = 100

SEEN_AT_LEAST = {"lock wait": 20, "deadlock": 2_000, "refused": 200, "duplicate": 100,
                 "compared with the simulated database": 2}
"""Once in so many episodes each must be met, for a run to say anything."""


def slices(asked: Asked) -> Iterable[Asked]:
    """Each takes its share of the scenarios, and tries them out before it leaves anything to chance."""
    episodes = asked.faults or EPISODES[asked.size]
    parts = min(max(1, episodes // A_SLICE), MOST_SLICES)
    seeds = [(asked.seed * MOST_SLICES + part) * (MOST_SLICES + 1) + parts for part in range(parts)]
    return [replace(asked, seed=seed, faults=episodes // parts) for seed in seeds]


def run(asked: Asked, tell: Tell) -> Tally:
    """One slice, on a server and databases of its own."""
    before = settings()
    with PrivatePostgres(fsync=False) as server:
        configure(database_url=Databases(server).fresh())
        try:
            return run_here(asked, tell)
        finally:
            configure(**before.model_dump())


def run_here(asked: Asked, tell: Tell) -> Tally:
    """One slice, on the databases that DATABASE_URL names."""
    seed, parts = divmod(asked.seed, MOST_SLICES + 1)
    tally = Tally()
    with prepared(share(asked.modes, seed % MOST_SLICES, parts or 1)) as plays:
        wanted = asked.faults or EPISODES[asked.size]
        twins = {(play.scenario.name, play.stage.name, play.mode): Twin(play) for play in plays}
        for number, episode in enumerate(islice(in_turn(plays, seed), wanted)):
            add(tally, episode)
            compare(tally, episode, twins[episode.scenario.name, episode.scenario.service, episode.mode])
            tell((number + 1) / wanted)
        tally.seen["scenarios tried out"] = sum(play.all_orders.done for play in plays)
        tally.seen["scenarios"] = len(plays)
    return tally


def share(modes: Sequence[str], part: int, parts: int) -> list[tuple[Scenario, str]]:
    """A part of all scenarios, in the modes that are asked for, or else in one of them."""
    each = [
        (scenario, mode) for scenario in SCENARIOS
        for mode in [mode for mode in scenario.modes if mode in modes] or modes[:1]
    ]
    return each[part::parts]


@contextmanager
def prepared(asked: Sequence[tuple[Scenario, str]]) -> Iterator[list[Play]]:
    """Scenarios, ready to be played on the databases that DATABASE_URL names; quietly, whatever is refused."""
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.CRITICAL)
    try:
        with stages(SERVICES) as built:
            yield [Play(scenario, mode, built[scenario.service]) for scenario, mode in asked]
    finally:
        logging.getLogger().setLevel(level)


def in_turn(plays: Sequence[Play], seed: int) -> Iterator[Episode]:
    """An episode of each, again and again, until every order that matters was tried; then without end by chance."""
    going = [mixed(play, seed) for play in plays]
    while going:
        for each in list(going):
            episode = next(each, None)
            if episode is None:
                going.remove(each)
            else:
                yield episode
    for number in count():
        yield plays[number % len(plays)].by_chance(seed * 1_000_003 + number)


def mixed(play: Play, seed: int) -> Iterator[Episode]:
    """Every order that matters, with some by chance between: the systematic ones begin with those most alike."""
    for number, episode in enumerate(play.episodes()):
        yield episode
        if play.started and number % 3 == 0:
            yield play.by_chance(seed * 1_000_003 + number)


def add(tally: Tally, episode: Episode) -> None:
    """Count one."""
    tally.runs += 1
    tally.happened[f"order of {len(episode.crossing.actors)} transactions"] += 1
    for kind, often in (
        ("lock wait", episode.crossing.waits), ("deadlock", episode.crossing.deadlocks),
        ("statement", len(episode.crossing.steps)), *episode.met.items(),
    ):
        tally.seen[kind] += often
    tally.violations += [Violation(f"{episode.scenario.name}: {what}", episode.again) for what in episode.broken]


def compare(tally: Tally, episode: Episode, twin: Twin) -> None:
    """Hold PostgreSQL's answer against the simulated database's, unless it depends on PostgreSQL's own timers."""
    if len(episode.crossing.actors) > 2 and episode.crossing.deadlocks:
        return
    tally.seen["compared with the simulated database"] += 1
    if unlike := twin.unlike(episode):
        again = f"{episode.again} --twin"
        tally.violations.append(Violation(f"{episode.scenario.name}: the simulated database differs: {unlike}", again))


def judge(asked: Asked, tally: Tally) -> list[str]:  # noqa: ARG001 (whatever was asked)
    """What was hardly seen."""
    return [
        f"{kind}: {tally.seen[kind]} in {tally.runs} episodes" for kind, once_in in SEEN_AT_LEAST.items()
        if tally.runs >= once_in and tally.seen[kind] * once_in < tally.runs
    ]


TIER = Tier(
    "database", "transactions cross on PostgreSQL, statement by statement", "episodes", slices, run, judge,
    parallel=2, waits=True,
)

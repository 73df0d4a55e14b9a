"""Real processes on real servers, broken in every way at hand: the tier ``processes`` of ``orderflow verify``.

::

    slice   two modes (one, unless all are asked for) on one node and one PostgreSQL    seed ends in 0, 1, 2 …
            one mode on a cluster of three nodes, each killed once                      seed ends in 9

A slice is one torture: load and faults, quiet, audit, for one mode after another in the same shop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from lab.faults.dying import PLACES
from lab.torture.course import Tick, torture
from lab.torture.kinds import ALONE
from lab.torture.plan import Plan
from lab.torture.tally import judge, tally_of
from lab.verify.tier import Asked, Tally, Tell, Tier

SLICES, CLUSTER = 10, 9
"""Seeds are dealt out in tens; the last of each is the cluster's."""

COMMIT_PAIRS = 3
COMMIT_FAULTS = 100
"""About so many faults in one round."""

NIGHTLY_ROUNDS = 8
"""Slices of each mode in a night: about half an hour."""

DEADLINE_SECONDS, HEARTBEAT_SECONDS = 12, 3


def slices(asked: Asked) -> Iterator[Asked]:
    """One torture each."""
    first = asked.seed * SLICES
    if asked.size == "nightly":
        for number in range(NIGHTLY_ROUNDS):
            for mode in asked.modes:
                yield Asked(asked.size, (mode,), first + number * SLICES)
            yield Asked(asked.size, (asked.modes[number % len(asked.modes)],), first + number * SLICES + CLUSTER)
        return
    pairs = min(COMMIT_PAIRS, len(asked.modes))
    for again in range(math.ceil((asked.faults or 1) / COMMIT_FAULTS)):
        begin = first + again * SLICES
        for number in range(pairs):
            yield Asked(asked.size, asked.modes[number::pairs], begin + number, pairs)
        yield Asked(asked.size, (asked.modes[(asked.seed + again) % len(asked.modes)],), begin + CLUSTER)


def plan_of(asked: Asked) -> Plan:
    """What a slice does: the same for the same seed."""
    common = Plan(
        modes=asked.modes, seed=asked.seed, orders=60, clients=6, kills=3, at_once=3, deadline_seconds=DEADLINE_SECONDS,
        heartbeat_seconds=HEARTBEAT_SECONDS, load_seconds=900, quiet_seconds=180,
    )
    if asked.seed % SLICES == CLUSTER:
        return replace(common, kills=1, cluster=True, faults=("node", "cut-at-byte", "node", "silence", "node"))
    deck = [*ALONE, *PLACES]
    Random(asked.seed // SLICES).shuffle(deck)  # noqa: S311 (dealt out, the same each time)
    part, parts = asked.seed % SLICES, asked.faults or 1
    if asked.size == "nightly":
        return replace(common, orders=400, kills=6, restarts=2, faults=tuple(deck), lose_queues=True)
    restarts = 0 if part else max(1, 2 // len(asked.modes))
    return replace(
        common, restarts=restarts, faults=tuple(deck[part::parts]), every=False, lose_queues=part == parts - 1)


def run(asked: Asked, tell: Tell) -> Tally:
    """Do one slice."""
    plan = plan_of(asked)
    return tally_of(plan, torture(plan, lambda tick: tell(_share(plan, tick))))


def _share(plan: Plan, tick: Tick) -> float:
    if not tick.mode:
        return 0.0
    return (plan.modes.index(tick.mode) + min(1.0, tick.settled / plan.orders)) / len(plan.modes)


TIER = Tier(
    "processes", "real processes, RabbitMQ and PostgreSQL, and the lines between them", "orders", slices, run, judge,
)

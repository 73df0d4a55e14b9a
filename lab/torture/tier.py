"""Real processes on real servers, broken in every way at hand: the tier ``processes`` of ``orderflow verify``.

::

    slice   all modes at once on one node and one PostgreSQL; half of the kinds of fault        seed ends in 0, 1
            all modes at once on a cluster of three nodes, each killed once                     seed ends in 9

A slice is one torture: load and faults, heal, quiet, audit.  Slices run side by side: much of each is waiting, for a
heartbeat to be missed or a node to be back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from lab.faults.dying import PLACES
from lab.torture.course import torture
from lab.torture.kinds import ALONE
from lab.torture.plan import Plan
from lab.torture.tally import judge, tally_of
from lab.verify.tier import Asked, Tally, Tell, Tier

SLICES, CLUSTER = 10, 9
"""Seeds are dealt out in tens; the last of each is the cluster's."""

HALVES = 2
COMMIT_FAULTS = 100
"""About so many faults in one round."""

NIGHTLY_ROUNDS = 8
"""Each of every mode by itself, after all of them at once: about half an hour."""

DEADLINE_SECONDS, HEARTBEAT_SECONDS = 15, 3
TWICE = ("cut", "reset", "cut-at-byte", *PLACES)
"""What is quickly done, and depends most on where it comes."""


def slices(asked: Asked) -> Iterator[Asked]:
    """One torture each."""
    rounds = NIGHTLY_ROUNDS if asked.size == "nightly" else math.ceil((asked.faults or 1) / COMMIT_FAULTS)
    for number in range(rounds):
        first = (asked.seed + number) * SLICES
        for part in (*range(HALVES), CLUSTER):
            yield Asked(asked.size, asked.modes, first + part)
        if asked.size == "nightly":
            for mode in asked.modes:
                yield Asked(asked.size, (mode,), first)


def plan_of(asked: Asked) -> Plan:
    """What a slice does: the same for the same seed."""
    part = asked.seed % SLICES
    common = Plan(
        modes=asked.modes, together=True, seed=asked.seed, orders=20, clients=8, at_once=3, kills=8,
        deadline_seconds=DEADLINE_SECONDS, heartbeat_seconds=HEARTBEAT_SECONDS, load_seconds=900, quiet_seconds=180,
    )
    if part == CLUSTER:
        faults = ("node", "cut-at-byte", "node", "silence", "node")
        return replace(common, orders=10, kills=2, instances=1, cluster=True, faults=faults)
    deck = [*ALONE, *TWICE]
    Random(asked.seed // SLICES).shuffle(deck)  # noqa: S311 (dealt out, the same each time)
    if asked.size == "nightly":
        return replace(common, orders=600 // len(asked.modes), restarts=2, faults=tuple(deck), lose_queues=True)
    return replace(common, restarts=1, faults=tuple(deck[part::HALVES]), lose_queues=part == 0)


def run(asked: Asked, tell: Tell) -> Tally:
    """Do one slice."""
    plan = plan_of(asked)
    return tally_of(plan, torture(plan, lambda tick: tell(min(1.0, tick.strikes / plan.strikes))))


TIER = Tier(
    "processes", "real processes, RabbitMQ and PostgreSQL, and the lines between them", "orders", slices, run, judge,
    parallel=2, waits=True,
)

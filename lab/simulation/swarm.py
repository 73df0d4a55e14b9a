"""Swarm: each seed draws its own day in the shop and its own weather.

Most bugs need only a few kinds of faults, and many kinds at once hide them from one another; so each run draws which
kinds there are at all, and how often (https://users.cs.utah.edu/~regehr/papers/swarm12.pdf).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from lab.simulation.case import Case
from lab.simulation.faults import EVERYWHERE, KINDS
from lab.simulation.run import Result, simulate
from lab.simulation.stores import Kind
from lab.simulation.workload import Chore, Wish, Workload
from patterns.settings import MODES

RATES = (25.0, 50.0, 80.0, 120.0, 160.0)
"""Faults at so many of a thousand places; a run may draw less, never more."""

LOCAL_WEIGHT = 8.0
"""How much likelier than a fault that may come anywhere one is where it belongs: it has fewer places."""

STORES_DRAWN: tuple[Kind, ...] = ("serial", "read-committed", "read-committed")
"""Real SQL one after another costs less; what only crossing transactions can break needs more runs."""

RARE = {"database clock jump": 0.2, "crash": 2.0}
"""An hour's jump of a database's clock ends every open order: seldom, or most orders would end by it."""


@dataclass(frozen=True)
class Drawn:
    """One run as its seed drew it."""

    mode: str
    seed: int
    workload: Workload
    weights: Mapping[str, float]
    rate: float
    instances: int
    switching: float
    store: Kind

    def run(self) -> Result:
        """Run it."""
        return simulate(
            self.workload, self.seed, rate=self.rate, weights=self.weights, instances=self.instances,
            switching=self.switching, store=self.store,
        )

    def case(self) -> Case:
        """The same run with its faults as a plan, which can be written down and shortened."""
        return Case(self.workload, self.seed, self.run().plan, self.instances, self.switching, self.store)


def draw(mode: str, seed: int) -> Drawn:
    """What this seed means in this mode."""
    chance = random.Random(f"{mode} {seed}")  # noqa: S311 (a plan, not a secret)
    weights, rate = _weather(chance)
    drawn = Drawn(
        mode, seed, _day(chance, mode), weights, rate, instances=chance.choice((1, 2, 2, 3)),
        switching=chance.choice((0.05, 0.2, 0.2, 0.6)), store=chance.choice(STORES_DRAWN),
    )
    return drawn if drawn.store == "serial" else replace(drawn, workload=_rush(drawn.workload))


def _rush(day: Workload) -> Workload:
    """The same day, with everybody coming at the full second: transactions cross only where many come at once."""
    return replace(
        day, wishes=tuple(replace(wish, at=float(int(wish.at))) for wish in day.wishes),
        chores=tuple(replace(chore, at=float(int(chore.at))) for chore in day.chores),
    )


def _weather(chance: random.Random) -> tuple[dict[str, float], float]:
    """Which kinds of faults there are, and how many: none in one run of twenty, one kind in one of five."""
    kind = chance.random()
    if kind < 0.05:
        return {}, 0.0
    if kind < 0.25:
        only = chance.choice(KINDS)
        return {only: 1.0}, 40.0 if only in EVERYWHERE else 250.0
    some = [kind for kind in KINDS if chance.random() < 0.6] or list(KINDS)
    return {
        kind: chance.uniform(0.2, 1.0) * RARE.get(kind, 1.0 if kind in EVERYWHERE else LOCAL_WEIGHT) for kind in some
    }, chance.choice(RATES)


def _day(chance: random.Random, mode: str) -> Workload:
    """Customers, goods and orders; in one run of ten the orders travel in all modes at once."""
    customers, products = chance.randint(1, 3), chance.randint(1, 3)
    mixed = chance.random() < 0.1
    wishes = tuple(
        Wish(
            user=chance.randint(1, customers), mode=chance.choice(MODES) if mixed else mode, at=chance.uniform(0, 3),
            items=tuple((product, chance.randint(1, 2)) for product in sorted(
                chance.sample(range(1, products + 1), chance.randint(1, min(2, products))))),
            cancel_after=chance.choice((None, None, None, None, 0.0, 0.05, 0.5, 2.0)), asks=chance.choice((1, 1, 1, 2)),
        )
        for _ in range(chance.randint(2, 8))
    )
    return Workload(
        money=tuple(chance.choice((900, 8_000, 50_000)) for _ in range(customers)),
        goods=tuple((chance.choice((300, 1_000)), chance.choice((1, 6, 20))) for _ in range(products)),
        wishes=wishes, chores=_chores(chance, customers, products),
    )


def _chores(chance: random.Random, customers: int, products: int) -> tuple[Chore, ...]:
    some = []
    for _ in range(chance.randint(0, 3)):
        kind = chance.choice(("deposit", "restock", "price"))
        whose = chance.randint(1, customers if kind == "deposit" else products)
        some.append(Chore(kind, whose, {"deposit": 700, "restock": 2, "price": 900}[kind], chance.uniform(0, 4)))
    return tuple(some)

"""What can go wrong, where, and who decides it.

Every call of a port is a *place* (``begin``, ``sql``, ``commit``, ``publish``, ``take``, ``ack`` …), numbered as the run
goes.  A plan says what happens at which place; a fault that makes no sense there becomes one that does.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.simulation.scheduler import Task
    from lab.simulation.world import World

EVERYWHERE = (
    "crash", "terminate", "stall", "stop", "slow", "swizzle", "clock jump",
    "broker restart", "broker outage", "broker blocked", "connection lost", "channel closed", "consumer cancelled",
    "database outage", "database clock jump", "duplicate", "replay", "poison",
)
"""Faults that may come at any place (:mod:`lab.simulation.nature` does them); the others belong to one."""

AT: Mapping[str, tuple[str, ...]] = {
    "begin": ("database away", "pool exhausted"),
    "sql": ("deadlock", "serialization failure", "database lost"),
    "commit": ("commit lost", "commit refused"),
    "committed": ("commit unknown",),
    "publish": ("publish lost", "half published", "refused", "unroutable", "black hole", "newer words"),
    "published": ("confirm lost", "published twice"),
    "ack": ("ack lost",),
    "connect": ("broker away",),
    "gateway": ("gateway slow", "gateway away"),
}

@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at a place: its number in this run, what is called, on what (a service, queue, type), by whose task."""

    number: int
    place: str
    whose: str
    process: str
    task: str


Plan = Mapping[int, str] | Callable[[Visit], str | None]
"""What breaks where: place number → kind, or whoever decides it as the run goes."""

KINDS: tuple[str, ...] = (*EVERYWHERE, *(kind for kinds in AT.values() for kind in kinds))

PLACES = (
    "begin", "sql", "commit", "committed", "connect", "consume", "publish", "published", "take", "ack", "cancel", "gateway",
)
"""Every port call that is a place."""

OFTENER: Mapping[str, float] = {
    "gateway": 20, "publish": 4, "published": 4, "ack": 3, "commit": 2, "committed": 2, "connect": 0.5, "sql": 0.4,
}
"""How much likelier than elsewhere a fault is at a place that few calls come by, or many."""

SLOW_SECONDS = 0.05
"""What each call takes in a process that is slow just now."""


class Injector:
    """Counts the places of a run and lets the plan's faults happen there.

    ``rate``: how many places in a thousand break, of ``weights``' kinds (:data:`OFTENER`).
    """

    def __init__(self, world: World, plan: Plan, rate: float, weights: Mapping[str, float], seed: int) -> None:
        self.world = world
        self.plan: Mapping[int, str] = {} if callable(plan) else plan
        self.decide = plan if callable(plan) else None
        self.chance = random.Random(seed)  # noqa: S311 (a plan, not a secret)
        self.rate, self.weights = rate, dict(weights)
        self.places: Counter[str] = Counter()
        self.happened: Counter[tuple[str, str]] = Counter()
        self.done: dict[int, str] = {}  # the plan that would repeat this run's faults
        self.number = 0
        self.healed = False
        self._possible: dict[str, tuple[list[str], list[float]]] = {}

    def at(self, place: str, whose: str = "") -> str | None:
        """One call of a port: others may come first, and something may break.  Answers the fault the caller must do.

        Faults of processes, brokers and time happen here; a fault of the call itself is left to it.
        """
        scheduler = self.world.scheduler
        task = scheduler.current
        if task is None or not task.process.alive:
            return None
        self.number += 1
        self.places[place] += 1
        kind = None if self.healed else self._kind(place, whose, task)
        if kind is not None:
            self.happened[place, kind] += 1
            self.done[self.number] = kind
            here = f"{place} of {task.process.name}" + (f" ({whose})" if whose else "")
            self.world.note(task.process, f"{kind} at place {self.number}, {here}")
            if kind in EVERYWHERE:
                self.world.break_something(kind, task.process)
                return None
        if task.process.slow_until > scheduler.now:
            scheduler.wait(SLOW_SECONDS)
        scheduler.may_switch()
        return kind

    def _kind(self, place: str, whose: str, task: Task) -> str | None:
        if self.decide is not None:
            planned = self.decide(Visit(self.number, place, whose, task.process.name, task.name))
        else:
            planned = self.plan.get(self.number)
        if planned is None and self.rate and self.chance.random() * 1000 < self.rate * OFTENER.get(place, 1.0):
            kinds, weights = self._here(place)
            planned = self.chance.choices(kinds, weights)[0] if kinds else None
        if planned is None:
            return None
        if planned not in EVERYWHERE and planned not in AT.get(place, ()):
            return AT[place][0] if place in AT else "crash"
        return planned

    def _here(self, place: str) -> tuple[list[str], list[float]]:
        """What may break at such a place, and how likely each is."""
        if place not in self._possible:
            kinds = [kind for kind in (*EVERYWHERE, *AT.get(place, ())) if self.weights.get(kind, 0) > 0]
            self._possible[place] = kinds, [self.weights[kind] for kind in kinds]
        return self._possible[place]

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

EVERYWHERE = ("crash", "stall", "stop", "broker restart", "connection lost", "duplicate", "replay", "consumer cancelled")
"""Faults that may come at any place; the others belong to one."""

AT: Mapping[str, tuple[str, ...]] = {
    "begin": ("database away",),
    "sql": ("deadlock",),
    "commit": ("commit lost",),
    "committed": ("commit unknown",),
    "publish": ("publish lost", "half published", "refused", "unroutable"),
    "published": ("confirm lost", "published twice"),
    "ack": ("ack lost",),
    "connect": ("broker away",),
    "gateway": ("gateway slow",),
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


class Injector:
    """Counts the places of a run and lets the plan's faults happen there.

    ``rate``: how many places in a thousand break, on average, of ``weights``' kinds.
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
            self.world.note(f"{kind} at place {self.number}, {here}")
            if kind in EVERYWHERE:
                self.world.break_something(kind, task.process)
                return None
        scheduler.may_switch()
        return kind

    def _kind(self, place: str, whose: str, task: Task) -> str | None:
        if self.decide is not None:
            planned = self.decide(Visit(self.number, place, whose, task.process.name, task.name))
        else:
            planned = self.plan.get(self.number)
        if planned is None and self.rate and self.chance.random() * 1000 < self.rate:
            kinds = [kind for kind in (*EVERYWHERE, *AT.get(place, ())) if self.weights.get(kind, 0) > 0]
            planned = self.chance.choices(kinds, [self.weights[kind] for kind in kinds])[0] if kinds else None
        if planned is None:
            return None
        if planned not in EVERYWHERE and planned not in AT.get(place, ()):
            return AT[place][0] if place in AT else "crash"
        return planned

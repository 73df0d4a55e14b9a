"""Orders: which of some transactions goes on at each step, over all runs.

All orders that matter, once each: a depth-first search with *sleep sets* (Godefroid 1996, "Partial-Order Methods for the
Verification of Concurrent Systems"): after an order was tried with A's step first, B's step is not tried first where the
two cannot affect each other.  A step that cannot affect anything the others were ever seen to do is taken at once.  The
transactions are run from the beginning for every order.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lab.interleaving.steps import Step, order_matters

Able = Mapping[int, Step]


@dataclass
class Fork:
    """A moment in which several could go on: who was chosen, and who need not be tried (any more)."""

    able: dict[int, Step]
    chosen: int
    asleep: dict[int, Step] = field(default_factory=dict)
    alone: bool = False
    """Whether nobody else need be tried here."""


class AllOrders:
    """Chooses so that, run after run, every order that matters comes once.

    ``seen``: what each is known to do, from runs of one after another.
    """

    def __init__(self, seen: Mapping[int, set[Step]]) -> None:
        self.done = False
        self.equivalent = 0
        """Runs that turned out, on the way, to be the same as an earlier one; they were finished all the same."""
        self._seen = {number: {replace(step, words="") for step in steps} for number, steps in seen.items()}
        self._path: list[Fork] = []
        self._depth = 0
        self._astray = False

    def choose(self, able: Able) -> int:
        """Who goes on."""
        for number, step in able.items():
            self._seen.setdefault(number, set()).add(replace(step, words=""))
        if self._astray:
            return min(able)
        if self._depth < len(self._path):
            fork = self._path[self._depth]
            if fork.chosen in able:
                fork.able = dict(able)
                self._depth += 1
                return fork.chosen
            del self._path[self._depth:]  # PostgreSQL chose another victim, or another waiter, than the last time
        asleep = self._inherited()
        alone = self._nobodys_business(able)
        awake = [number for number in ([alone] if alone is not None else sorted(able)) if number not in asleep]
        if not awake:
            self._astray = True
            self.equivalent += 1
            return min(able)
        self._path.append(Fork(dict(able), awake[0], asleep, alone is not None))
        self._depth += 1
        return awake[0]

    def _nobodys_business(self, able: Able) -> int | None:
        for number, step in sorted(able.items()):
            others = (seen for other, steps in self._seen.items() if other != number for seen in steps)
            if not any(order_matters(step, seen) for seen in others):
                return number
        return None

    def next(self) -> None:
        """Get ready for the next run; sets ``done`` after the last."""
        self._depth, self._astray = 0, False
        while self._path:
            fork = self._path[-1]
            fork.asleep[fork.chosen] = fork.able[fork.chosen]
            left = [number for number in sorted(fork.able) if number not in fork.asleep]
            if left and not fork.alone:
                fork.chosen = left[0]
                return
            self._path.pop()
        self.done = True

    def _inherited(self) -> dict[int, Step]:
        if not self._path:
            return {}
        last = self._path[-1]
        taken = last.able[last.chosen]
        return {number: step for number, step in last.asleep.items() if not order_matters(step, taken)}


class OneAfterAnother:
    """Each as a whole before the next, as far as locks allow."""

    def __init__(self, sequence: tuple[int, ...]) -> None:
        self.sequence = sequence

    def choose(self, able: Able) -> int:
        """The first in the sequence who can go on."""
        return next(number for number in self.sequence if number in able)


class ByChance:
    """A seed decides; often the same one goes on, so that few switches, at any place, are as likely as many."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (an order, not a secret)
        self._switching = self._chance.choice((0.1, 0.3, 0.6))
        self._last = -1

    def choose(self, able: Able) -> int:
        """Who goes on."""
        if self._last not in able or self._chance.random() < self._switching:
            self._last = self._chance.choice(sorted(able))
        return self._last


class AsWritten:
    """An order that was written down; beyond it, whoever can."""

    def __init__(self, order: str) -> None:
        self._left = [int(letter) for letter in order]

    def choose(self, able: Able) -> int:
        """Who goes on."""
        while self._left:
            number = self._left.pop(0)
            if number in able:
                return number
        return min(able)

"""Every order with few preemptions: most bugs of concurrency need only one or two of them.

Musuvathi and Qadeer 2007, "Iterative Context Bounding for Systematic Testing of Multithreaded Programs": whoever goes on
goes on until it waits or ends; at most so often it is interrupted although it could go on.
"""

from __future__ import annotations

from collections.abc import Mapping

from lab.interleaving.steps import Step


class FewPreemptions:
    """Chooses so that, run after run, every order with at most so many preemptions comes once."""

    def __init__(self, most: int = 2) -> None:
        self.most, self.done = most, False
        self._path: list[list[int]] = []
        """At each step: who is chosen, and who is left to be tried there."""
        self._begin()

    def _begin(self) -> None:
        self._depth, self.preempted, self._last = 0, 0, -1

    def choose(self, able: Mapping[int, Step]) -> int:
        """Who goes on."""
        if self._depth == len(self._path):
            goes_on = [self._last] if self._last in able else []
            others = [number for number in sorted(able) if number != self._last]
            self._path.append(goes_on + (others if not goes_on or self.preempted < self.most else []))
        number = self._path[self._depth][0]
        self.preempted += self._last in able and number != self._last
        self._depth, self._last = self._depth + 1, number
        return number

    def next(self) -> None:
        """Get ready for the next run; sets ``done`` after the last."""
        self._begin()
        while self._path:
            self._path[-1].pop(0)
            if self._path[-1]:
                return
            self._path.pop()
        self.done = True

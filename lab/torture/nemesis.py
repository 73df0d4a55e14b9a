"""The nemesis: kills one process after another with ``kill -9``, and brings it back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

from lab.torture.plan import Plan
from lab.torture.processes import ShopProcess

BOTH_SHARE = 0.2
"""How often all instances of a service die at once."""
POLL_SECONDS = 0.02


class Nemesis:
    """Spreads its kills over the load: the k-th of n comes when k/(n+1) of the orders are accepted.

    In its first round each service is met once; then chance decides.  A victim is back, and ready, before the next dies.
    """

    def __init__(
        self, plan: Plan, mode: str, groups: dict[str, list[ShopProcess]], progress: Callable[[], float]
    ) -> None:
        self.plan, self.groups, self.progress = plan, groups, progress
        self.killed: Counter[str] = Counter()
        self.trouble: Exception | None = None
        self._chance = plan.chance(mode, "nemesis")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nemesis", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has kills left."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Kill nobody any more; whoever is dead is brought back first."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until its victims are started again.  Raises what kept the nemesis from its work."""
        self._thread.join()
        if self.trouble is not None:
            raise self.trouble

    def _run(self) -> None:
        try:
            for number, victims in enumerate(self._victims(), start=1):
                if not self._wait_for(number / (self.plan.kills + 1)):
                    return
                self._strike(victims)
        except Exception as error:  # said by join(), in the main thread
            self.trouble = error

    def _victims(self) -> Iterator[list[ShopProcess]]:
        names: list[str] = []
        for _ in range(self.plan.kills):
            names = names or self._chance.sample(sorted(self.groups), len(self.groups))
            group = self.groups[names.pop()]
            yield group if self._chance.random() < BOTH_SHARE else [self._chance.choice(group)]

    def _wait_for(self, share: float) -> bool:
        while self.progress() < share:
            if self._stopping.wait(POLL_SECONDS):
                return False
        return not self._stopping.is_set()

    def _strike(self, victims: list[ShopProcess]) -> None:
        for victim in victims:
            victim.kill()
            self.killed[victim.name] += 1
        self._stopping.wait(self._chance.uniform(0, 1.0))
        for victim in victims:
            victim.start()
        for victim in victims:
            victim.wait_until_ready(self._stopping)

"""How like PostgreSQL the simulated database is: the same transactions on both, in the same order.

What a real PostgreSQL did must be among what the simulated one may do: who can go on at each step, who waits, who ends a
deadlock, what is answered, what is in the tables at the end.  Where PostgreSQL chooses (the deadlock's victim, who of
several that waited goes on first), its choice is taken over.
"""

from __future__ import annotations

import random
from collections import Counter

from lab.interleaving.episode import Episode, Play
from lab.interleaving.on_twin import TwinStage
from lab.interleaving.orders import AsWritten

SCHEDULES = 6
"""So many orders of waking up are tried where more than two transactions meet."""


class Twin:
    """A scenario on the simulated database, to be held against what PostgreSQL did."""

    def __init__(self, play: Play) -> None:
        self.stage = TwinStage(play.stage.name)
        self.play = Play(play.scenario, play.mode, self.stage)

    def unlike(self, real: Episode) -> str | None:
        """What the simulated database did otherwise than PostgreSQL, in the same order of steps; None: nothing."""
        schedules = 1 if len(real.crossing.actors) == 2 else SCHEDULES
        found = [self._unlike(real, seed) for seed in range(schedules)]
        return None if None in found else found[0]

    def _unlike(self, real: Episode, seed: int) -> str | None:
        self.stage.victims = Counter({one.number: one.deadlocks for one in real.crossing.actors})
        self.stage.gates.scheduler.chance = random.Random(seed)  # noqa: S311 (a choice, not a secret)
        with self.stage.entered():
            twin = self.play.run(AsWritten(real.crossing.order).choose)
        for what, here, there in (
            ("order", twin.crossing.order, real.crossing.order), ("waits", twin.crossing.waits, real.crossing.waits),
            ("deadlocks", _deadlocks(twin), _deadlocks(real)), ("broken", twin.broken, real.broken),
        ):
            if here != there:
                return f"{what}: {here} in the simulated database, {there} in PostgreSQL"
        rows, others = set(twin.left.splitlines()), set(real.left.splitlines())
        return f"here {sorted(rows - others)}, PostgreSQL {sorted(others - rows)}" if rows != others else None


def _deadlocks(episode: Episode) -> list[int]:
    return [actor.deadlocks for actor in episode.crossing.actors]

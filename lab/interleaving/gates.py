"""Gates: each transaction in a thread and connection of its own, stopped before every statement and every commit.

::

    actor 0 ──■ INSERT inbox ──■ UPDATE users ──■ COMMIT        one gate is opened at a time; whoever then waits for a
    actor 1 ──■ INSERT inbox ──■ UPDATE users … waits for 0     lock is found by asking PostgreSQL, never by the clock
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import psycopg

from lab.interleaving.steps import Object, Step

LOOK_SECONDS = 0.002
"""After so long PostgreSQL is asked whether who did not arrive waits for a lock; asking too early costs a question."""

MOST_LOOK_SECONDS = 0.1
"""On a machine that is busy with other things, asking more often would only keep it busier."""

STUCK_SECONDS = 60.0

Choose = Callable[[Mapping[int, Step]], int]
"""Which actor goes on, of those that can."""

_BLOCKED = "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s) AND cardinality(pg_blocking_pids(pid)) > 0"


class Stuck(AssertionError):
    """Nobody went on for a very long time."""


@dataclass
class Actor:
    """One transaction's thread."""

    number: int
    arrivals: SimpleQueue[Actor]
    opened: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    next: Step | None = None
    """What it does when its gate is opened; None while it is on its way, and when it is done."""
    done: bool = False
    changed: frozenset[Object] = frozenset()
    pid: int = 0
    answer: object = None
    error: Exception | None = None
    deadlocks: int = 0

    def wait(self, step: Step, pid: int) -> None:
        """Arrive at a gate, and stand there until it is opened."""
        self.next, self.pid = step, pid
        self.arrivals.put(self)
        self.opened.acquire()
        self.changed = frozenset() if step.ends and not step.words.startswith("ROLLBACK TO") else self.changed | step.changes

    def play(self, act: Callable[[], object]) -> None:
        """Do the whole act."""
        _here.actor = self
        try:
            self.answer = act()
        except Exception as error:  # what an act raises is judged with everything else
            self.error = error
        finally:
            self.done, self.next = True, None
            self.arrivals.put(self)


_here = threading.local()


def actor_here() -> Actor | None:
    """Whose thread this is; None where nobody acts."""
    actor: Actor | None = getattr(_here, "actor", None)
    return actor


@dataclass(frozen=True)
class Crossing:
    """What happened when some transactions crossed."""

    actors: tuple[Actor, ...]
    steps: tuple[tuple[int, Step], ...]
    """Who did what, in this order."""
    waits: int
    """How often somebody waited for a lock."""

    @property
    def order(self) -> str:
        """Who went on, at each step, as one writes it down."""
        return "".join(str(number) for number, _ in self.steps)

    @property
    def deadlocks(self) -> int:
        """How often PostgreSQL ended a transaction because they waited for each other."""
        return sum(actor.deadlocks for actor in self.actors)


def cross(
    actors: tuple[Actor, ...], settle: Callable[[], set[int]], let_on: Callable[[int], object], choose: Choose
) -> Crossing:
    """Let them go on one at a time, until nobody stands at a gate: ``choose`` says who, ``let_on`` opens its gate.

    ``settle`` waits until nobody moves, and answers who waits for another's lock.
    """
    taken: list[tuple[int, Step]] = []
    waits, waiting = 0, set[int]()
    while True:
        before, waiting = waiting, settle()
        waits += len(waiting - before)
        able = {actor.number: actor.next for actor in actors if actor.next is not None}
        if not able:
            return Crossing(actors, tuple(taken), waits)
        number = choose(able)
        taken.append((number, able[number]))
        actors[number].next = None
        let_on(number)


class Director:
    """Opens the gates, one at a time.  ``admin``: a connection of its own, to see who waits for whom."""

    def __init__(self, admin: psycopg.Connection[Any]) -> None:
        self.admin = admin
        self._arrivals: SimpleQueue[Actor] = SimpleQueue()

    def play(self, acts: Sequence[Callable[[], object]], choose: Choose) -> Crossing:
        """Let these cross: ``choose`` says who goes on, until all are done.  Raises Stuck."""
        self._arrivals = SimpleQueue()
        actors = tuple(Actor(number, self._arrivals) for number in range(len(acts)))
        threads = [
            threading.Thread(target=actor.play, args=(act,), daemon=True) for actor, act in zip(actors, acts, strict=True)
        ]
        for thread in threads:
            thread.start()
        crossing = cross(actors, partial(self._settle, actors), lambda number: actors[number].opened.release(), choose)
        for thread in threads:
            thread.join(STUCK_SECONDS)
        return crossing

    def _settle(self, actors: Sequence[Actor]) -> set[int]:
        """Wait until everybody is done, stands at a gate, or waits for another's lock; answers who does the last."""
        pause, until = LOOK_SECONDS, time.monotonic() + STUCK_SECONDS
        while time.monotonic() < until:
            moving = [actor for actor in actors if not actor.done and actor.next is None]
            if not moving:
                return set()
            try:
                self._arrivals.get(timeout=pause)
                pause = LOOK_SECONDS
            except Empty:
                pause = min(2 * pause, MOST_LOOK_SECONDS)
                # Only who is at a gate can end the wait of the others; when all wait, PostgreSQL ends one of them.
                if any(actor.next is not None for actor in actors) and self._all_blocked(moving):
                    return {actor.number for actor in moving}
        raise Stuck(f"{[actor.number for actor in actors if not actor.done]} of {len(actors)} went on no more")

    def _all_blocked(self, moving: Sequence[Actor]) -> bool:
        pids = {actor.pid for actor in moving}
        return {pid for (pid,) in self.admin.execute(_BLOCKED, [list(pids)])} == pids

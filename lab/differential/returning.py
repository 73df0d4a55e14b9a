"""The embedded broker where RabbitMQ is free: what comes back to a quorum queue when a channel ends.

It takes back what its consumers held, consumer by consumer, in an order of its own (that of a map of theirs in rabbit_fifo;
each get counts as one).  This order is seen when they are delivered again, unless messages die of it: then each is tried.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import islice

from lab.differential.circles import CirclingMachine
from lab.differential.likeness import Known, known_by
from lab.differential.trail import Trail
from patterns.broker.core import Chooser
from patterns.broker.data import Entry, Held, Queue


class ReturningMachine(CirclingMachine):
    """A broker that takes back in any order, and knows in which step a message came."""

    def __init__(self, trail: Trail, choose: Chooser, *, turns_deaths: bool) -> None:
        super().__init__(choose, turns_deaths=turns_deaths)
        self.trail = trail
        self.steps: list[int] = []
        """The serial at the end of each step."""
        self._came_back: dict[int, tuple[int, str]] = {}  # entry -> the step in which it did, and who had held it

    def step_of(self, entry: Entry) -> int:
        """The step in which it came; this one has the number of those that are over."""
        return bisect_left(self.steps, entry.id)

    def give_back(self, held: Iterable[Held], now: float, *, asked: bool = False) -> None:
        """Requeue deliveries; where a channel ended, a quorum queue's holder by holder, whoever is first."""
        held = list(held)
        for entry, _, _ in held:
            self._came_back.pop(entry.id, None)
        if not asked:
            for queue in dict.fromkeys(queue for _, queue, _ in held if queue.quorum):
                held = self._by_holders(queue, held, now)
        super().give_back(held, now, asked=asked)

    def _by_holders(self, queue: Queue, held: list[Held], now: float) -> list[Held]:
        batches: dict[str, list[Held]] = {}
        for each in held:
            if each[1] is queue:
                batches.setdefault(holder_of(each), []).append(each)
                self._came_back[each[0].id] = len(self.steps), holder_of(each)
        unseen = queue.max_length is not None or any(_dies(entry, queue, now) for entry, whose, _ in held if whose is queue)
        left, ordered = list(batches.values()), [each for each in held if each[1] is not queue]
        while left:
            ordered += left.pop(self.trail.choose(len(left)) if unseen else 0)
        return ordered

    def prefer_returned(self, queue: Queue, known: set[Known]) -> None:
        """Put one of these first, with all that came back with it, if its holder's may as well have come back first."""
        batches: dict[tuple[int, str], list[Entry]] = {}
        for entry in islice(queue.ready, queue.returned):
            came = self._came_back.get(entry.id)
            if came is None or came[0] != next(iter(batches), came)[0]:
                break
            batches.setdefault(came, []).append(entry)
        first = next((batch for batch in batches.values() if known_by(batch[0].message) in known), [])
        for entry in reversed(first):
            del self._came_back[entry.id]
            queue.ready.remove(entry)
            queue.ready.appendleft(entry)


def holder_of(held: Held) -> str:
    """Who held it: a consumer, or a get of its own."""
    entry, _, consumer = held
    return f"get {entry.id}" if consumer is None else consumer.tag


def is_over(entry: Entry, now: float) -> bool:
    """Whether its time is over."""
    return entry.expires_at is not None and entry.expires_at <= now


def _dies(entry: Entry, queue: Queue, now: float) -> bool:
    """Whether it dies when it comes back."""
    return (queue.delivery_limit is not None and entry.returns >= queue.delivery_limit) or is_over(entry, now)

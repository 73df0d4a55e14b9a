"""The embedded broker where RabbitMQ is free: which of several messages finds room in a queue that is too short for all.

Queues are processes on RabbitMQ, and each buries its own dead.  When letters of two queues, or a letter and what a client
publishes, come to one short queue in one step, any of them may come first.  Their order in the queue is seen, and told to
the model, when they are delivered; but one that found no room is never seen.  So each way is tried until one fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lab.differential.trail import Trail
from patterns.broker import Machine
from patterns.broker.core import Chooser
from patterns.broker.data import Entry, Message, Queue
from patterns.broker.deadletter import REJECTED, deaths_of
from patterns.broker.storing import is_full


class FreeMachine(Machine):
    """A broker whose trail says what comes first where nobody can see it."""

    def __init__(self, trail: Trail, choose: Chooser) -> None:
        super().__init__(choose=choose)
        self.trail = trail
        self.began = 0
        """The serial at which this step began."""

    def store(self, message: Message, queues: Iterable[Queue], now: float) -> bool:
        """Put the message into all queues; a full one may not have been full yet."""
        queues = list(queues)
        for queue in filter(is_full, queues):
            self._come_first(message, queue)
        return super().store(message, queues, now)

    def _come_first(self, message: Message, queue: Queue) -> None:
        """Perhaps refuse a letter of another queue instead: the last of that one's in this step."""
        last = {source_of(entry.message): entry for entry in queue.ready if self._is_new(entry)}
        letters = [entry for source, entry in last.items() if source not in ("", source_of(message))]
        if chosen := self.trail.choose(1 + len(letters)):
            queue.ready.remove(letters[chosen - 1])
            self.forget(queue, letters[chosen - 1])

    def _drop_overflow(self, queue: Queue, now: float) -> None:
        """Drop the oldest of a queue that is too long: of several sources, anyone's first may be that."""
        if not queue.rejects and queue.max_length is not None and len(queue.ready) > queue.max_length:
            heads = self._heads(queue.ready)
            move_to_front(heads[:-1], heads[-1])
        super()._drop_overflow(queue, now)

    def _heads(self, ready: Sequence[Entry]) -> list[Entry]:
        """The entries up to the one that goes first."""
        firsts: dict[str, int] = {}
        for place, entry in enumerate(ready):
            if not self._is_new(entry):
                break
            firsts.setdefault(source_of(entry.message), place)
        places = list(firsts.values()) or [0]
        return list(ready)[:places[self.trail.choose(len(places))] + 1]

    def is_dropped(self, letter: Message, target: Queue) -> bool:
        """Whether it goes in circles: RabbitMQ 3.10 looks at its earlier deaths in an order of its own."""
        latest, *earlier = deaths_of(letter.properties.headers)
        was_there = any(death.get("queue") == target.name for death in earlier)
        reasons = {death.get("reason") for death in earlier}
        if latest.get("reason") != REJECTED and was_there and len(earlier) > 1 and reasons > {REJECTED}:
            return super().is_dropped(letter, target) ^ bool(self.trail.choose(2))
        return super().is_dropped(letter, target)

    def retry_stuck(self, now: float) -> None:
        """RabbitMQ tries again after three minutes; no program takes as long."""

    def _is_new(self, entry: Entry) -> bool:
        return entry.id > self.began and not entry.redelivered


def source_of(message: Message) -> str:
    """Where a message came from: a publisher (no name), or the queue it died in."""
    deaths = deaths_of(message.properties.headers)
    return str(deaths[0].get("queue")) if deaths else ""


def move_to_front(before: Sequence[Entry], entry: Entry) -> None:
    """Places stay what they are; what stands there moves."""
    places = [*before, entry]
    contents = [(each.message, each.expires_at, each.returns, each.lasting) for each in (entry, *before)]
    for place, content in zip(places, contents, strict=True):
        place.message, place.expires_at, place.returns, place.lasting = content

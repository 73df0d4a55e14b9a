"""The embedded broker where RabbitMQ is free: which message comes first, and which finds room in a queue too short for all.

Queues are processes on RabbitMQ, and each buries its own dead.  When letters of two queues, or a letter and what a client
publishes, come to one short queue in one step, any of them may come first; and a quorum queue's letter may still be on its
way when the step is over.  Their order in the queue is seen, and told to the model, when they are delivered; but one that
found no room is never seen.  So each way is tried until one fits.

When a channel ends, a quorum queue takes back what its consumers held, consumer by consumer, in an order of its own (that of
a map of theirs in rabbit_fifo; each get counts as one).  This order, too, is seen when they are delivered again, unless
messages die of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from lab.differential.trail import Trail
from patterns.broker import Machine
from patterns.broker.core import Chooser
from patterns.broker.data import Entry, Held, Message, Queue
from patterns.broker.deadletter import EXPIRED, REJECTED, deaths_of
from patterns.broker.storing import is_full


class FreeMachine(Machine):
    """A broker whose trail says what comes first where nobody can see it."""

    def __init__(self, trail: Trail, choose: Chooser) -> None:
        super().__init__(choose=choose)
        self.trail = trail
        self.began = 0
        """The serial at which this step began."""
        self._came_back: dict[int, tuple[int, str]] = {}  # entry -> the step in which it did, and who had held it
        self._late: list[tuple[Message, Queue]] = []  # letters on their way to a queue that is too short
        self._due: list[tuple[Message, Queue]] = []  # those of the step before

    def end_step(self, now: float) -> None:
        """What was late in the step before has come; what is late now has not."""
        due, self._due, self._late = self._due, self._late, []
        for letter, queue in due:
            if not queue.deleted:
                super().store(letter, [queue], now)
        self.began = self.serial

    # --- what comes in ---

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
        refused = message
        if chosen := self.trail.choose(1 + len(letters)):
            refused = letters[chosen - 1].message
            queue.ready.remove(letters[chosen - 1])
            self.forget(queue, letters[chosen - 1])
        self._perhaps_late(refused, queue)

    def _perhaps_late(self, letter: Message, queue: Queue) -> bool:
        """Whether this is a quorum queue's letter, and comes only when somebody has made room."""
        source = self.queues.get(source_of(letter))
        late = source is not None and source.quorum and bool(self.trail.choose(2))
        self._late += [(letter, queue)] * late
        return late

    def _drop_overflow(self, queue: Queue, now: float) -> None:
        """Drop the oldest of a queue that is too long: of several sources, anyone's first may be that."""
        if not queue.rejects and queue.max_length is not None and len(queue.ready) > queue.max_length:
            heads = self._heads(queue.ready)
            move_to_front(heads[:-1], heads[-1])
            if self._is_new(queue.ready[0]) and self._perhaps_late(queue.ready[0].message, queue):
                self.forget(queue, self.pop(queue))
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

    def expire(self, now: float) -> None:
        """Let die what has expired; of what came in this step from several sources, anyone's first may be at the head."""
        for queue in list(self.queues.values()):
            while any(_is_over(entry, now) for entry in queue.ready if self._is_new(entry)):
                heads = self._heads(queue.ready)
                move_to_front(heads[:-1], heads[-1])
                if not _is_over(queue.ready[0], now):
                    break
                self.bury(queue, self.pop(queue), EXPIRED, now)
        self.advance(now)

    # --- what comes back ---

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
                self._came_back[each[0].id] = self.began, holder_of(each)
        unseen = queue.max_length is not None or any(_dies(entry, queue, now) for entry, whose, _ in held if whose is queue)
        left, ordered = list(batches.values()), [each for each in held if each[1] is not queue]
        while left:
            ordered += left.pop(self.trail.choose(len(left)) if unseen else 0)
        return ordered

    def prefer_returned(self, queue: Queue, bodies: set[bytes]) -> None:
        """Put one of these first, with all that came back with it, if its holder's may as well have come back first."""
        batches: dict[tuple[int, str], list[Entry]] = {}
        for entry in islice(queue.ready, queue.returned):
            came = self._came_back.get(entry.id)
            if came is None or came[0] != next(iter(batches), came)[0]:
                break
            batches.setdefault(came, []).append(entry)
        first = next((batch for batch in batches.values() if batch[0].message.body in bodies), [])
        for entry in reversed(first):
            del self._came_back[entry.id]
            queue.ready.remove(entry)
            queue.ready.appendleft(entry)

    # --- what goes ---

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


def holder_of(held: Held) -> str:
    """Who held it: a consumer, or a get of its own."""
    entry, _, consumer = held
    return f"get {entry.id}" if consumer is None else consumer.tag


def _dies(entry: Entry, queue: Queue, now: float) -> bool:
    """Whether it dies when it comes back."""
    return (queue.delivery_limit is not None and entry.returns >= queue.delivery_limit) or _is_over(entry, now)


def _is_over(entry: Entry, now: float) -> bool:
    return entry.expires_at is not None and entry.expires_at <= now


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

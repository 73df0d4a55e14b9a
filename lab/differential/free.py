"""The embedded broker where RabbitMQ is free: which message comes first, and which finds room in a queue too short for all.

Queues are processes on RabbitMQ, and each buries its own dead.  When letters of two queues, or a letter and what a client
publishes, come to one queue in one step, any of them may come first; and a quorum queue's letter may still be on its
way when the step is over.  Their order in the queue is seen, and told to the model, when they are delivered; but one that
found no room, or was pushed out later, is never seen.  So each way is tried until one fits.

One order there is: a letter that comes back to a queue comes after what had pushed it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from lab.differential.likeness import Known, known_by, source_of
from lab.differential.returning import ReturningMachine, is_over
from lab.differential.trail import Trail
from patterns.broker.core import Chooser
from patterns.broker.data import Entry, Message, Queue
from patterns.broker.deadletter import EXPIRED, MAXLEN
from patterns.broker.storing import has_room, is_full


class FreeMachine(ReturningMachine):
    """A broker whose trail says what comes first where nobody can see it."""

    def __init__(self, trail: Trail, choose: Chooser, *, turns_deaths: bool) -> None:
        super().__init__(trail, choose, turns_deaths=turns_deaths)
        self._late: list[tuple[Message, Queue]] = []  # letters on their way to a queue that is too short
        self._due: list[tuple[Message, Queue]] = []  # those of the step before
        self._agreed: set[tuple[Entry, ...]] = set()  # that the first of these is at the head
        self._pushed: dict[tuple[str, bytes], bytes] = {}  # what a queue had no room for any more -> what came then

    def end_step(self, now: float) -> None:
        """What was late in the step before has come; what is late now has not."""
        due, self._due, self._late = self._due, self._late, []
        for letter, queue in due:
            if not queue.deleted:
                super().store(letter, [queue], now)
        self._agreed.clear()  # a quorum queue may find a little later that its head is over
        self.steps.append(self.serial)

    # --- what comes in ---

    def store(self, message: Message, queues: Iterable[Queue], now: float) -> bool:
        """Put the message into all queues; a full one may not have been full yet."""
        queues = list(queues)
        waiting = {queue: list(queue.ready) for queue in filter(is_full, queues) if any(map(has_room, queue.consumers))}
        for queue in waiting:
            queue.ready.clear()  # its consumer gets this first, as it got on RabbitMQ, and had room for the others too
        for queue in filter(is_full, queues):
            self._come_first(message, queue)
        stored = super().store(message, queues, now)
        for queue, entries in waiting.items():
            queue.ready.extendleft(reversed(entries))
            self.serve(queue, now)
        return stored

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

    # --- what goes ---

    def _drop_overflow(self, queue: Queue, now: float) -> None:
        """Drop the oldest of a queue that is too long: of several sources, anyone's first may be that."""
        if not queue.rejects and queue.max_length is not None and len(queue.ready) > queue.max_length:
            self._choose_first(queue)
            if self._is_new(queue.ready[0]) and self._perhaps_late(queue.ready[0].message, queue):
                self.forget(queue, self.pop(queue))
        super()._drop_overflow(queue, now)

    def advance(self, now: float) -> None:
        """Let everything die that is due; also what only may be at the head."""
        for queue in list(self.queues.values()):
            self.serve(queue, now)
        super().advance(now)

    def serve(self, queue: Queue, now: float, arriving: Entry | None = None) -> None:
        """Hand out what is ready; of several that may be at the head, one that has expired may be, and die."""
        while arriving is None and self._may_be_over(queue, now):
            self._choose_first(queue)
            if is_over(queue.ready[0], now):
                self.bury(queue, self.pop(queue), EXPIRED, now)
            else:
                self._agreed.add(self._heads(queue))
        super().serve(queue, now, arriving)

    def _may_be_over(self, queue: Queue, now: float) -> bool:
        heads = self._heads(queue)
        return len(heads) > 1 and heads not in self._agreed and any(is_over(entry, now) for entry in heads)

    def bury(self, queue: Queue, entry: Entry, reason: str, now: float) -> None:
        """Take a dead message out of its queue, and remember what it had to give way to."""
        if reason == MAXLEN and queue.ready:
            self._pushed[queue.name, entry.message.body] = queue.ready[-1].message.body
        super().bury(queue, entry, reason, now)

    def retry_stuck(self, now: float) -> None:
        """RabbitMQ tries again after three minutes; no program takes as long."""

    # --- what is first ---

    def prefer(self, queue: Queue, known: set[Known]) -> None:
        """Put one of these first, if it may as well have come, or come back, first."""
        if queue.ready:
            self.prefer_returned(queue, known)
            wanted = [place for place in self._firsts(queue) if known_by(queue.ready[place].message) in known]
            put_first(queue, [*wanted, 0][0])

    def _choose_first(self, queue: Queue) -> None:
        firsts = self._firsts(queue)
        put_first(queue, firsts[self.trail.choose(len(firsts))])

    def _heads(self, queue: Queue) -> tuple[Entry, ...]:
        return tuple(queue.ready[place] for place in self._firsts(queue)) if queue.ready else ()

    def _firsts(self, queue: Queue) -> list[int]:
        """The places of those that may as well have come first: each source's first, of what came in the head's step."""
        firsts: dict[str, int] = {}
        for place, entry in enumerate(queue.ready):
            if entry.redelivered or self.step_of(entry) != self.step_of(queue.ready[0]):
                break
            firsts.setdefault(source_of(entry.message), place)
        return [place for place in firsts.values() if not self._gave_way(queue, place)] or [0]

    def _gave_way(self, queue: Queue, place: int) -> bool:
        """Whether one that is before it had pushed it out of this queue."""
        pushed_by = self._pushed.get((queue.name, queue.ready[place].message.body))
        return any(entry.message.body == pushed_by for entry in islice(queue.ready, place))

    def _is_new(self, entry: Entry) -> bool:
        return self.step_of(entry) == len(self.steps) and not entry.redelivered


def put_first(queue: Queue, place: int) -> None:
    """Put what stands at this place before all others.  Places stay what they are; what stands there moves."""
    *before, entry = islice(queue.ready, place + 1)
    contents = [(each.message, each.expires_at, each.returns, each.lasting) for each in (entry, *before)]
    for one, content in zip((*before, entry), contents, strict=True):
        one.message, one.expires_at, one.returns, one.lasting = content

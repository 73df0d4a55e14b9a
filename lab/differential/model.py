"""The model's side: the embedded broker, told what RabbitMQ chose where AMQP lets it choose.

Five choices are seen, and fed in: which consumer gets a message; in which order messages from several sources
(publishers and dying queues) entered a queue in one step; whose came back first to a quorum queue when a channel ended; in
which order deliveries of several queues, or of several consumers of a quorum queue, reached one channel; and whether what
came while a channel ended had been on its way to that one, and is redelivered.  What is not seen is tried each way
(:mod:`lab.differential.free`).  All else is the model's own, and compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence

from lab.differential.free import FreeMachine
from lab.differential.likeness import Arrived, known_by
from lab.differential.sides import CONNECTION_OF, Side
from lab.differential.trail import Trail
from patterns.amqp import DIRECT_REPLY_TO, Delivery
from patterns.broker import EmbeddedTransport
from patterns.broker.core import Chooser
from patterns.broker.data import Consumer, Entry, Queue

BEGAN = 1_700_000_000.0

Wishes = Mapping[str, Mapping[tuple[int, str], deque[tuple[Delivery, str]]]]
"""By queue, client and batch: what RabbitMQ delivered, and what we call its consumer."""


class ModelTransport(EmbeddedTransport):
    """The embedded broker with a clock that stands still until it is told."""

    def __init__(self, trail: Trail, choose: Chooser, *, turns_deaths: bool) -> None:
        self.now = BEGAN
        super().__init__(clock=lambda: self.now)
        self._engine.machine = self.machine = FreeMachine(trail, choose, turns_deaths=turns_deaths)

    def pass_time(self, seconds: float) -> None:
        """Let so much time go by."""
        self.now += seconds
        with self._engine.operation() as (_, now):
            self.machine.advance(now)

    def end_step(self) -> None:
        """Let expire what another one left at a head, and let come what was late."""
        with self._engine.operation() as (machine, now):
            machine.advance(now)
            self.machine.end_step(now)


class ModelSide(Side):
    """The embedded broker with the program's clients."""

    transport: ModelTransport

    def __init__(self, trail: Trail, *, turns_deaths: bool) -> None:
        trail.begin()
        self.wishes: Wishes = {}
        self.name_there: Callable[[str], str] = str
        self.starting = ""  # the consumer that is being started, before it has a tag
        self.ends: set[int] = set()  # the steps in which a channel ended
        super().__init__(ModelTransport(trail, self._choose, turns_deaths=turns_deaths))

    def pass_time(self) -> None:
        """Let expire what expires soon."""
        self.transport.pass_time(1.0)

    def queues(self) -> dict[str, tuple[int, int, int, bool]]:
        """Every queue: how many are ready, how many consumers, on which connection to ask, whether it is a quorum queue."""
        numbers = [getattr(connection, "number", 0) for connection in self.connections]
        return {
            queue.name: (
                len(queue.ready), len(queue.consumers),
                numbers.index(queue.owner) if queue.owner in numbers else 0, queue.quorum,
            ) for queue in self.transport.machine.queues.values()
        }

    # --- what RabbitMQ chose ---

    def told(self, arrived: Mapping[int, Sequence[Arrived]], named: Callable[[str], str], *, ends: bool = False) -> None:
        """Hear what RabbitMQ delivers in this step, and whether a channel ends in it."""
        self.transport.machine.deepest = 0
        self.ends |= {len(self.transport.machine.steps)} if ends else set()
        wishes: dict[str, dict[tuple[int, str], deque[tuple[Delivery, str]]]] = defaultdict(lambda: defaultdict(deque))
        for client, items in arrived.items():
            for item in items:
                if isinstance(item, Delivery):
                    name = named(item.consumer)
                    wishes[item.queue][client, self._batch(item.queue, name)].append((item, name))
        self.wishes, self.name_there = wishes, named

    def _batch(self, queue: str, name: str) -> str:
        """What a channel gets in order: of a quorum queue each consumer's messages, which come as one batch."""
        known = self.transport.machine.queues.get(queue)
        return name if known is not None and known.quorum else ""

    def fetched(self, delivery: Delivery) -> None:
        """Hear what RabbitMQ's next get answers."""
        queue = self.transport.machine.queues.get(delivery.queue)
        if queue is not None and queue.ready:
            self.transport.machine.prefer(queue, {known_by(delivery)})
            self._adopt(queue.ready[0], delivery)

    def _choose(self, queue: Queue, ready: Sequence[Consumer]) -> Consumer | None:
        wishes = [each for each in self.wishes.get(queue.name, {}).values() if each]
        if not wishes:
            return ready[0]  # RabbitMQ delivers nothing more of this queue: comparing will say so
        self.transport.machine.prefer(queue, {known_by(each[0][0]) for each in wishes})
        entry = queue.ready[0]
        for wish in wishes:
            delivery, name = wish[0]
            for consumer in ready:
                if known_by(delivery) == known_by(entry.message) and name == self.names.get(consumer.tag, self.starting):
                    self._adopt(entry, delivery)
                    wish.popleft()
                    return consumer
        return None  # not this one now: what RabbitMQ delivers first may still be on its way

    def _adopt(self, entry: Entry, delivery: Delivery) -> None:
        """A message that came while a channel ended may have been on its way to that one, and come back."""
        if delivery.redelivered and not entry.redelivered and self.transport.machine.step_of(entry) in self.ends:
            entry.redelivered, entry.returns = True, int(delivery.properties.headers.get("x-delivery-count") or 0)

    # --- what came of it ---

    def end_step(self, arrived: Mapping[int, Sequence[Arrived]]) -> dict[int, list[Arrived]]:
        """What the model delivered; between queues in the order in which RabbitMQ did."""
        self.transport.end_step()
        return {client: self._in_order(client, arrived.get(client, ())) for client in range(len(CONNECTION_OF))}

    def _in_order(self, client: int, real: Sequence[Arrived]) -> list[Arrived]:
        ours = self.taken(client)
        batches: dict[tuple[str, str], deque[Arrived]] = defaultdict(deque)
        for item in ours:
            batches[item.queue, self._batch(item.queue, self.names.get(item.consumer, self.starting))].append(item)
        theirs = [(item.queue, self._batch(item.queue, self.name_there(item.consumer))) for item in real]
        if Counter(theirs) != {batch: len(items) for batch, items in batches.items()}:
            return ours
        ordered = [batches[batch].popleft() for batch in theirs]
        return self._renumber(client, ordered) if ordered != ours else ours

    def _renumber(self, client: int, ordered: list[Arrived]) -> list[Arrived]:
        """Give the deliveries of this step their tags anew, in this order."""
        channel = self.transport.machine.channels[getattr(self.channels[client], "number", 0)]
        count = sum(map(_has_tag, ordered))
        held = {tag: channel.unacked.pop(tag) for tag in list(channel.unacked) if tag > channel.last_tag - count}
        tag, result = channel.last_tag - count, list[Arrived]()
        for item in ordered:
            if isinstance(item, Delivery) and _has_tag(item):
                tag += 1
                if item.tag is not None:
                    channel.unacked[tag] = held[item.tag]
                    item = _tagged(item, tag)
            result.append(item)
        return result


def _has_tag(item: Arrived) -> bool:
    """Whether it has a number among the channel's deliveries, whether told to us or not; replies have none."""
    return isinstance(item, Delivery) and item.queue != DIRECT_REPLY_TO


def _tagged(item: Delivery, tag: int) -> Delivery:
    return Delivery(
        item.queue, tag, item.exchange, item.routing_key, item.body, item.properties, item.redelivered, item.consumer
    )

"""The machine's store: messages enter queues, are handed to consumers, come back, expire, die, and are forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from patterns.broker.core import Core
from patterns.broker.data import Consumer, Entry, Held, Message, Queue
from patterns.broker.deadletter import DELIVERY_LIMIT, EXPIRED, MAXLEN, dead_letter, goes_in_circles
from patterns.broker.effects import Deliver
from patterns.broker.exchanges import Exchange
from patterns.broker.lifetimes import expiry
from patterns.broker.requeueing import put_back


class Storing(Core):
    """What happens inside queues."""

    # --- in ---

    def route(self, exchange: Exchange, message: Message) -> Sequence[Queue]:
        """The queues this message goes to, by its exchange or else by that one's alternate exchange."""
        tried: set[str] = set()
        while True:
            if exchange.name == "":
                queue = self.queues.get(message.routing_key)
                found: Sequence[Queue] = () if queue is None else (queue,)
            else:
                found = exchange.route(message.routing_key, message.properties.headers)
            alternate = exchange.alternate
            if found or alternate is None or alternate in tried or alternate not in self.exchanges:
                return found
            tried.add(alternate)
            exchange = self.exchanges[alternate]

    def store(self, message: Message, queues: Iterable[Queue], now: float) -> bool:
        """Put the message into all queues; False when one of them refused it."""
        stored = True
        places: list[tuple[str, int, float | None]] = []
        for queue in queues:
            if is_full(queue):
                stored = False
                continue
            entry = Entry(self.next_serial(), message, expiry(message, queue, now))
            if queue.lasting and (queue.quorum or message.properties.persistent):
                entry.lasting = True
                if self.journaling:
                    if not places:  # one record for all queues
                        self.log.append(("put", message, places))
                    places.append((queue.name, entry.id, entry.expires_at))
            queue.ready.append(entry)
            if entry.expires_at is not None:
                self.timed[queue.name] = queue
            self.serve(queue, now, arriving=entry)
            if not queue.quorum:  # it looks first whether it is too long, and then whether what arrived has expired
                self._drop_overflow(queue, now)
            if queue.ready and queue.ready[0] is entry:
                self.serve(queue, now)
            self._drop_overflow(queue, now)
        return stored

    def _drop_overflow(self, queue: Queue, now: float) -> None:
        if queue.max_length is not None and not queue.rejects:
            while len(queue.ready) > queue.max_length:
                self.bury(queue, self.pop(queue), MAXLEN, now)

    # --- out ---

    def serve(self, queue: Queue, now: float, arriving: Entry | None = None) -> None:
        """Hand out what is ready, as long as a consumer has room.  What expired at the head dies instead.

        ``arriving``: a message that is given its one chance even when it expires at once; the caller sees to its end.
        """
        ready = queue.ready
        while ready:
            entry = ready[0]
            if entry.expires_at is not None and entry.expires_at <= now and entry is not arriving:
                self.bury(queue, self.pop(queue), EXPIRED, now)
                continue
            consumer = self._next_consumer(queue)
            if consumer is None:
                break
            self._hand(queue, self.pop(queue), consumer)

    def _next_consumer(self, queue: Queue) -> Consumer | None:
        consumers = queue.consumers
        if not consumers:
            return None
        if self.choose is not None:
            ready = [consumer for consumer in consumers if has_room(consumer)]
            return self.choose(queue, ready) if ready else None
        for _ in range(len(consumers)):
            consumer = consumers[0]
            consumers.rotate(-1)
            if has_room(consumer):
                return consumer
        return None

    def _hand(self, queue: Queue, entry: Entry, consumer: Consumer) -> None:
        channel = consumer.channel
        channel.last_tag += 1
        tag: int | None = None
        if consumer.auto_ack:
            self.forget(queue, entry)
        else:
            tag = channel.last_tag
            channel.unacked[tag] = (entry, queue, consumer)
            consumer.unacked += 1
            queue.unacked += 1
        self.effects.append(
            Deliver(channel.id, consumer.tag, queue.name, tag, entry.message, entry.redelivered, entry.returns)
        )

    def pop(self, queue: Queue) -> Entry:
        """Take the head off the queue."""
        if queue.returned:
            queue.returned -= 1
        entry = queue.ready.popleft()
        if queue.ready and queue.ready[0].expires_at is not None:
            self.timed[queue.name] = queue
        return entry

    # --- back, and gone ---

    def give_back(self, held: Iterable[Held], now: float, *, asked: bool = False) -> None:
        """Requeue deliveries where they stood, marked as redelivered; a quorum queue counts, and has its limit.

        ``asked``: the consumer gave them back itself (nack, reject); else it is gone.
        """
        returned: dict[Queue, list[Entry]] = {}
        for entry, queue, _ in held:
            queue.unacked -= 1
            if queue.deleted:
                continue
            entries = returned.setdefault(queue, [])  # also when none returns: a consumer has room again
            entry.redelivered = True
            entry.returns += queue.quorum
            if queue.delivery_limit is not None and entry.returns > queue.delivery_limit:
                self.bury(queue, entry, DELIVERY_LIMIT, now)
                continue
            if entry.lasting and queue.quorum and self.journaling:
                self.log.append(("returned", queue.name, entry.id, entry.returns))
            entries.append(entry)
        for queue, entries in returned.items():
            put_back(queue, entries, at_tail=asked)
            if queue.ready and queue.ready[0].expires_at is not None:
                self.timed[queue.name] = queue
            if queue.quorum:  # it hands out first, and then looks whether it is too long; a classic one the other way
                self.serve(queue, now)
            self._drop_overflow(queue, now)
            self.serve(queue, now)

    def bury(self, queue: Queue, entry: Entry, reason: str, now: float) -> None:
        """Take a dead message out of its queue; if the queue has a dead-letter exchange, it moves there."""
        if queue.dead_letter_exchange is not None and not self._move_dead(queue, entry, reason, now) \
                and queue.keeps_dead:
            queue.stuck[entry.id] = (entry, reason)
            self.stuck[queue.name] = queue
            return
        self.forget(queue, entry)

    def _move_dead(self, queue: Queue, entry: Entry, reason: str, now: float) -> bool:
        """Whether the dead letter arrived everywhere it should (or goes in circles, and is dropped for that)."""
        exchange = self.exchanges.get(queue.dead_letter_exchange or "")
        if exchange is None:
            return False
        letter = dead_letter(entry.message, queue, reason, now)
        targets = self.route(exchange, letter)
        onward = [target for target in targets if not self.is_dropped(letter, target)]
        if not targets or (queue.keeps_dead and any(map(is_full, onward))):
            return False
        return self.store(letter, onward, now)

    def is_dropped(self, letter: Message, target: Queue) -> bool:
        """Whether the dead letter is not put into this queue, because it goes in circles."""
        return goes_in_circles(letter, target.name)

    def retry_stuck(self, now: float) -> None:
        """Try again to move dead letters that had nowhere to go, after something changed that may let them."""
        for queue in list(self.stuck.values()):
            for number in list(queue.stuck):
                entry, reason = queue.stuck.pop(number)
                if not self._move_dead(queue, entry, reason, now):
                    queue.stuck[number] = (entry, reason)  # at the end: the next time it is another one's turn
                    break
                self.forget(queue, entry)
            if not queue.stuck:
                self.stuck.pop(queue.name, None)

    def forget(self, queue: Queue, entry: Entry) -> None:
        """The message is done with in this queue: also after a restart."""
        if entry.lasting and self.journaling:
            self.log.append(("gone", queue.name, entry.id))


def is_full(queue: Queue) -> bool:
    """Whether the queue is at its x-max-length and refuses more."""
    return queue.rejects and queue.max_length is not None and len(queue.ready) >= queue.max_length


def has_room(consumer: Consumer) -> bool:
    """Whether the consumer may get one more message."""
    return consumer.auto_ack or not consumer.prefetch or consumer.unacked < consumer.prefetch

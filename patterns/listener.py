"""Listener: hear, do, say.  The heart of every service; read :func:`deliver` first.

::

    take what is ready ─> read ─> prepare ─┬─ one transaction: inbox, handlers, outbox ─┬─> publish ─> ack
                           │         │     └────────────────── commit ──────────────────┘
             unreadable: parked      │              a handler raised: that message alone is retried
                                 a server is away: later, uncounted

Acknowledged only after the commit: a crash before it means the broker delivers again, a crash after it means a
duplicate, which the inbox takes.  All messages that are ready share one transaction; nobody waits to fill it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from patterns import inbox, outbox, topology
from patterns.address import Rpc
from patterns.amqp import Channel, Delivery, Transport
from patterns.database import Database, Session
from patterns.envelope import Context, Said, seal, seal_reply
from patterns.errors import ConnectionLost, DatabaseUnavailable, GaveWay, ServerUnavailable, WiringError
from patterns.hearing import Heard, Hearing, RowLocks
from patterns.link import Link
from patterns.logs import get_logger
from patterns.message import Message
from patterns.mishaps import Mishaps
from patterns.preparing import Preparing
from patterns.retry import readable
from patterns.runtime import runtime
from patterns.settings import settings
from patterns.together import together
from patterns.voice import Voice
from patterns.wiring import Wirings


def deliver(
    session: Session, service: str, batch: Sequence[Heard], wirings: Wirings, lock_rows: RowLocks | None = None
) -> Sequence[Said]:
    """Hear each message once, let its handler work, write down what it says: all in the caller's transaction.

    The inbox never swallows an RPC request: whoever asks again gets the stored answer, for which the step row stands
    guard.  An answer always marks its request done, even one that was heard before.
    """
    first = inbox.first_times(session, [_inbox_row(service, heard) for heard in batch])
    # Two instances' batches that meet wait for each other; each locking as its messages come, they would deadlock.
    if lock_rows is not None and len(batch) > 1:
        lock_rows(session, [heard.message for heard in batch])
    outbox.mark_answered(session, [
        (heard.delivery.properties.correlation_id, heard.message.order_id) for heard in batch if heard.answers
    ])
    todo: list[Heard] = []
    for heard in sorted(batch, key=lambda heard: heard.message.order_id):
        if heard.id in first or heard.asks:
            first.discard(heard.id)
            todo.append(heard)
    said: list[Said] = []
    for heard, answers in zip(todo, together(session, [(one.message.order_id, one.handle) for one in todo]), strict=True):
        said += addressed(answers, wirings, heard.context, heard.delivery if heard.asks else None)
    return outbox.add(session, said)


def addressed(
    messages: Sequence[Message], wirings: Wirings, context: Context, asker: Delivery | None = None
) -> list[Said]:
    """Seal what a handler says to wherever the wiring says it goes; without an address it goes back to the asker."""
    said: list[Said] = []
    for message in messages:
        mode = message.said_in(context.mode)
        own = context if mode == context.mode else replace(context, mode=mode)
        addresses = wirings[own.mode].destinations(type(message))
        said += [seal(message, address, own, awaits_answer=isinstance(address, Rpc)) for address in addresses]
        if addresses:
            continue
        if asker is None:
            raise WiringError(f"{message.type} has no address in mode {own.mode}, and nobody asked for it")
        if asker.properties.reply_to:
            said.append(seal_reply(message, own, asker.properties.reply_to, asker.properties.message_id or ""))
    return said


class Listener:
    """The ears of a service: reads its queues of all modes, and answers each message in its own mode."""

    def __init__(
        self, service: str, transport: Transport, database: Database, wirings: Wirings, voice: Voice,
        lock_rows: RowLocks | None = None, news: Callable[[Iterable[UUID]], None] = lambda _: None,
    ) -> None:
        self.service, self.database, self.wirings, self.voice = service, database, wirings, voice
        self._lock_rows, self._news = lock_rows, news
        self.trouble: str | None = None
        self.link = Link(f"{service}.ears", transport, self._prepare, self._work, settings().batch_size)
        self._hearing = Hearing(service, wirings)
        self._mishaps = Mishaps(service, voice, topology.heard_queues(service, wirings))
        self.counts = self._mishaps.counts
        self.preparing = Preparing(service, wirings)
        self._log = get_logger(service)

    def stop(self, timeout: float = 10.0) -> bool:
        """Finish what is in hand and listen no more; False when that took longer than ``timeout`` seconds."""
        finished = self.link.stop(timeout)
        self.preparing.stop(wait=finished)
        return finished

    def _prepare(self, channel: Channel) -> None:
        topology.declare(channel, self.service, self.wirings)
        channel.qos(settings().batch_size)
        for queue in (*topology.heard_queues(self.service, self.wirings), topology.dead_queue(self.service)):
            channel.consume(queue)

    def _work(self, channel: Channel, deliveries: Sequence[Delivery]) -> None:
        again = [delivery for delivery in deliveries if delivery.redelivered]
        if not again:
            self.handle(deliveries)
            # Everything before these is acknowledged already, so one ack says it for all of them.
            channel.ack(max(delivery.tag or 0 for delivery in deliveries), multiple=True)
            return
        # One of these may have ended the last consumer, and may end this one.  Each by itself, in any order, its healthy
        # neighbours come through, a few at each try, instead of being taken along until the broker gives them up.
        first_time = [delivery for delivery in deliveries if not delivery.redelivered]
        again.sort(key=lambda _: runtime().between(0, 1))
        for some in ([first_time] if first_time else []) + [[delivery] for delivery in again]:
            self.handle(some)
            for delivery in some:
                channel.ack(delivery.tag or 0)

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """See to it that each delivery is handled, retried or parked.  Raises BrokerUnavailable when that is unsure."""
        self.counts["redelivered"] += sum(delivery.redelivered for delivery in deliveries)
        self._handle(self._prepared([heard for heard in map(self._read, deliveries) if heard is not None]))

    def answer(self, delivery: Delivery) -> Sequence[Said]:
        """Handle one answer to a request of ours in one transaction; what it says is left to the caller to publish."""
        heard = self._read(delivery)
        if heard is None:
            return []
        said = self.database.transact(deliver, self.service, [heard], self.wirings)
        self._news([heard.message.order_id])
        return said

    def _handle(self, batch: Sequence[Heard]) -> None:
        if not batch:
            return
        try:
            said = self._transact(batch)
        except ConnectionLost:
            raise  # stopping: the broker keeps what is in hand
        except Exception as error:  # whatever a handler raises is for the retry ladder, never for the broker
            if len(batch) == 1:
                self._mishaps.failed(batch[0].delivery, error)
            for heard in batch if len(batch) > 1 else ():
                self._handle([heard])  # one of them failed: one at a time shows which
            return
        self.counts["handled"] += len(batch)
        self._news(heard.message.order_id for heard in batch)
        self.voice.say(said)

    def _transact(self, batch: Sequence[Heard]) -> Sequence[Said]:
        """One transaction; while the database is away, wait for it with the messages in hand."""
        pause = 0.1
        while True:
            try:
                lock_rows = None if self.database.one_writer else self._lock_rows
                said = self.database.transact(deliver, self.service, batch, self.wirings, lock_rows)
                self.trouble = None
                return said
            except DatabaseUnavailable as error:
                if isinstance(error, GaveWay) and len(batch) > 1:
                    raise  # one at a time they are less in the way
                if self.trouble is None:
                    self._log.warning("%s  Waiting for it.", error, extra={"action": "unavailable"})
                self.trouble = str(error)
            if self.link.stopping.wait(pause):
                raise ConnectionLost("Stopped while the database was away; the broker keeps the messages.")
            pause = min(pause * 2, 5)

    def _read(self, delivery: Delivery) -> Heard | None:
        if delivery.queue == topology.dead_queue(self.service):
            self._mishaps.given_up(delivery)
            return None
        try:
            heard = self._hearing.hear(delivery)
        except Exception as error:  # reading does nothing else: what surprises it once does so every time
            self._mishaps.unreadable(delivery, error)
            return None
        if heard is None:
            self.counts["ignored"] += 1
        return heard

    def _prepared(self, batch: list[Heard]) -> list[Heard]:
        """Run the preparations; a message whose preparation fails is tried again later, and left out."""
        ready: list[Heard] = []
        for heard, error in self.preparing.prepare(batch):
            if error is None:
                ready.append(heard)
            elif isinstance(error, ServerUnavailable):
                self._mishaps.unserved(heard.delivery, error)
            else:
                self._mishaps.failed(heard.delivery, error)
        return ready


def _inbox_row(service: str, heard: Heard) -> dict[str, Any]:
    return {
        "service": service, "message_id": heard.id, "order_id": heard.message.order_id, "type": heard.message.type,
        "mode": heard.context.mode, "queue": heard.delivery.queue, "handler": heard.line.handler.__name__,
        "sender": readable(heard.delivery.properties.app_id or "")[:60],
    }

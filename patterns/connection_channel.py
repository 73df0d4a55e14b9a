"""One AMQP channel over pika, for callers on any thread; see :mod:`patterns.connection`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from pika import spec

from patterns.amqp import Cancelled, Declares, Delivery, Outgoing, QueueInfo, Receipt
from patterns.connection_arrivals import Arrivals
from patterns.connection_asking import ANSWER_SECONDS, Answer, Questions
from patterns.connection_confirms import Confirms
from patterns.connection_consumers import Consumers
from patterns.connection_envelope import from_pika
from patterns.connection_pipeline import Pipeline
from patterns.connection_thread import CLOSE_SECONDS, PikaThread
from patterns.connection_url import ending
from patterns.errors import BrokerUnavailable, ConnectionLost

_numbers = itertools.count(1)


class RabbitChannel:
    """A channel in confirm mode; its methods are those of :class:`patterns.amqp.Channel`."""

    def __init__(self, thread: PikaThread, forget: Callable[[RabbitChannel], None]) -> None:
        self._thread, self._forget = thread, forget
        self._questions = Questions(thread)
        self._ask = self._questions.ask
        self._confirms, self._arrivals = Confirms(), Arrivals()
        self._consumers = Consumers(self._arrivals)
        self._getting: Answer | None = None
        self._pika: Any  # from its opening on

    # -- life

    def open(self) -> None:
        """Open the channel and put it in confirm mode."""
        self._ask(lambda done: self._thread.pika.channel(on_open_callback=partial(self._opened, done)))

    def _opened(self, done: Answer, channel: Any) -> None:
        self._pika = channel
        channel.add_on_close_callback(lambda _, error: self.ended(ending(error)))
        channel.add_on_cancel_callback(self._consumers.cancelled)
        channel.add_on_return_callback(self._confirms.returned)
        channel.add_callback(lambda _: self._got(None), [spec.Basic.GetEmpty], one_shot=False)
        channel.confirm_delivery(self._confirms.answered, callback=done)

    @property
    def is_open(self) -> bool:
        """Whether the channel still works, as far as we know."""
        return self._questions.lost is None

    @property
    def consumers(self) -> Mapping[str, str]:
        """The consumers that are alive as far as we know, by tag, and the queue each reads."""
        return dict(self._consumers.alive) if self.is_open else {}

    def close(self) -> None:
        """Close the channel; what it holds unacknowledged is requeued.  Closing twice is fine."""
        with suppress(BrokerUnavailable):
            self._ask(lambda _: self._pika.close(), CLOSE_SECONDS)  # answered by the end of the channel

    def ended(self, lost: BrokerUnavailable) -> None:
        """The channel is gone: tell everybody who waits on it."""
        if self._questions.end(lost):
            self._forget(self)
            self._confirms.end()
            self._arrivals.end(lost)

    # -- topology

    def declare_exchange(
        self, name: str, kind: str, *, durable: bool = True, auto_delete: bool = False, passive: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make an exchange, or check that it is there as said."""
        self._ask(lambda done: self._pika.exchange_declare(
            name, kind, passive, durable, auto_delete, arguments=_table(arguments), callback=done))

    def declare_queue(
        self, name: str, *, durable: bool = True, exclusive: bool = False, auto_delete: bool = False,
        passive: bool = False, arguments: Mapping[str, Any] | None = None,
    ) -> QueueInfo:
        """Make a queue, or check it; an empty name lets the broker choose one."""
        frame = self._ask(lambda done: self._pika.queue_declare(
            name, passive, durable, exclusive, auto_delete, arguments=_table(arguments), callback=done))
        return QueueInfo(frame.method.queue, frame.method.message_count, frame.method.consumer_count)

    def bind(self, queue: str, exchange: str, routing_key: str = "", arguments: Mapping[str, Any] | None = None) -> None:
        """Let the exchange's messages with this key into the queue."""
        self._ask(lambda done: self._pika.queue_bind(queue, exchange, routing_key, _table(arguments), callback=done))

    @contextmanager
    def pipeline(self) -> Iterator[Declares]:
        """Declare many things and wait once."""
        pipeline = Pipeline()
        yield pipeline
        self._ask(lambda done: pipeline.send(self._pika, done), ANSWER_SECONDS + len(pipeline))

    def unbind(
        self, queue: str, exchange: str, routing_key: str = "", arguments: Mapping[str, Any] | None = None
    ) -> None:
        """Undo a bind."""
        self._ask(lambda done: self._pika.queue_unbind(queue, exchange, routing_key, _table(arguments), callback=done))

    def delete_queue(self, name: str, *, if_unused: bool = False, if_empty: bool = False) -> int:
        """Delete a queue; answers how many messages went with it."""
        frame = self._ask(lambda done: self._pika.queue_delete(name, if_unused, if_empty, callback=done))
        return int(frame.method.message_count)

    def delete_exchange(self, name: str, *, if_unused: bool = False) -> None:
        """Delete an exchange and its bindings."""
        self._ask(lambda done: self._pika.exchange_delete(name, if_unused, callback=done))

    def purge(self, queue: str) -> int:
        """Throw away a queue's ready messages; answers how many."""
        return int(self._ask(lambda done: self._pika.queue_purge(queue, callback=done)).method.message_count)

    def qos(self, prefetch: int) -> None:
        """At most so many unacknowledged messages for each consumer started after this (0: no limit)."""
        self._ask(lambda done: self._pika.basic_qos(prefetch_count=prefetch, callback=done))

    # -- speaking

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        """Publish all, then wait once until the broker has answered for each."""
        self._questions.check()
        if not messages:
            return []
        batch = self._confirms.batch(messages)
        try:
            self._thread.post(lambda: self._confirms.publish(self._pika, batch))
        except ConnectionLost:
            return [Receipt.UNKNOWN] * len(messages)
        return batch.wait(timeout)

    # -- hearing

    def consume(self, queue: str, *, auto_ack: bool = False, exclusive: bool = False) -> str:
        """Start a consumer; its deliveries come out of take."""
        tag = f"consumer-{next(_numbers)}"
        self._ask(lambda done: self._consumers.start(self._pika, done, tag, queue, auto_ack, exclusive))
        return tag

    def cancel(self, consumer: str) -> None:
        """Stop a consumer; what it holds unacknowledged stays ours, and what was on its way to us still comes."""
        self._ask(lambda done: self._consumers.stop(self._pika, done, consumer))

    def get(self, queue: str, *, auto_ack: bool = False) -> Delivery | None:
        """Fetch one message, if there is one."""

        def begin(done: Answer) -> None:
            self._getting = done
            self._pika.basic_get(queue, lambda _, method, properties, body: self._got(
                from_pika(queue, "", None if auto_ack else method.delivery_tag, method, properties, body)), auto_ack)

        found: Delivery | None = self._ask(begin)
        return found

    def _got(self, found: Delivery | None) -> None:
        if self._getting is not None:
            self._getting(found)
            self._getting = None

    def take(self, limit: int, timeout: float | None) -> list[Delivery | Cancelled]:
        """Wait until something arrived, then hand out all that is there, at most ``limit``."""
        return self._arrivals.take(limit, timeout)

    def wake(self) -> None:
        """Make the current or next take return at once."""
        self._arrivals.wake()

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Say that a delivery is done with.  Does not wait for the broker."""
        self._tell(lambda: self._pika.basic_ack(tag, multiple))

    def nack(self, tag: int, *, multiple: bool = False, requeue: bool = True) -> None:
        """Give deliveries back, or drop them to the dead-letter exchange."""
        self._tell(lambda: self._pika.basic_nack(tag, multiple, requeue))

    def reject(self, tag: int, *, requeue: bool = False) -> None:
        """Give one delivery back, or drop it to the dead-letter exchange."""
        self._tell(lambda: self._pika.basic_reject(tag, requeue))

    def _tell(self, action: Callable[[], object]) -> None:
        self._questions.check()
        self._thread.post(lambda: action() if self._pika.is_open else None)


def _table(arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(arguments) if arguments else None

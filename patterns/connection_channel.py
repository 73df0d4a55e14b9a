"""One AMQP channel over pika, for callers on any thread; see :mod:`patterns.connection`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from pika import spec
from pika.exceptions import ChannelClosedByBroker

from patterns.amqp import Cancelled, Delivery, Outgoing, QueueInfo, Receipt
from patterns.connection_confirms import Confirms, from_pika
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost

if TYPE_CHECKING:
    from patterns.connection import RabbitConnection


class RabbitChannel:
    """A channel in confirm mode; its methods are those of :class:`patterns.amqp.Channel`."""

    def __init__(self, connection: RabbitConnection) -> None:
        self._connection = connection
        self._pika: Any = None
        self._lost: BrokerUnavailable | None = None
        self._asked: set[Future[Any]] = set()
        self._getting: Future[Any] | None = None
        self._consumers: dict[str, str] = {}
        self._confirms = Confirms()
        self._arrived = threading.Condition()
        self._items: deque[Delivery | Cancelled] = deque()
        self._woken = False

    # -- life

    def open(self, connection: Any, opened: Future[Any]) -> None:
        """Open the channel and put it in confirm mode; on the I/O thread."""
        self._connection.watch(self)

        def ready(channel: Any) -> None:
            self._pika = channel
            channel.add_on_close_callback(self._closed)
            channel.add_on_cancel_callback(self._cancelled)
            channel.add_on_return_callback(self._confirms.returned)
            channel.add_callback(self._got_nothing, [spec.Basic.GetEmpty], one_shot=False)
            channel.confirm_delivery(self._confirms.answered, callback=lambda _: opened.set_result(None))

        connection.channel(on_open_callback=ready)

    @property
    def is_open(self) -> bool:
        """Whether the channel still works, as far as we know."""
        return self._lost is None

    def close(self) -> None:
        """Close the channel; what it holds unacknowledged is requeued.  Closing twice is fine."""
        if self._lost is not None:
            return
        try:
            self._connection.ask(self._close)
        except BrokerUnavailable:
            return  # it is closed, only not by us

    def _close(self, closed: Future[Any]) -> None:
        self._asked.add(closed)
        self._pika.close()

    def ended(self, lost: BrokerUnavailable) -> None:
        """Tell everybody who waits on this channel that it is gone; on the I/O thread."""
        self._lost = self._lost or lost
        self._connection.forget(self)
        asked, self._asked = self._asked, set()
        for future in asked:
            if not future.done():
                future.set_exception(lost)
        self._confirms.end()
        with self._arrived:
            self._arrived.notify_all()

    def _closed(self, _: object, reason: BaseException) -> None:
        if isinstance(reason, ChannelClosedByBroker):
            self.ended(ChannelClosed(reason.reply_code, reason.reply_text))
        else:
            self.ended(ConnectionLost("The channel is closed."))

    # -- topology

    def declare_exchange(
        self, name: str, kind: str, *, durable: bool = True, auto_delete: bool = False, passive: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make an exchange, or check that it is there as said."""
        self._ask(lambda done: self._pika.exchange_declare(
            name, kind, passive=passive, durable=durable, auto_delete=auto_delete, arguments=_table(arguments),
            callback=done))

    def declare_queue(
        self, name: str, *, durable: bool = True, exclusive: bool = False, auto_delete: bool = False,
        passive: bool = False, arguments: Mapping[str, Any] | None = None,
    ) -> QueueInfo:
        """Make a queue, or check it; an empty name lets the broker choose one."""
        frame = self._ask(lambda done: self._pika.queue_declare(
            name, passive=passive, durable=durable, exclusive=exclusive, auto_delete=auto_delete,
            arguments=_table(arguments), callback=done))
        return QueueInfo(frame.method.queue, frame.method.message_count, frame.method.consumer_count)

    def bind(self, queue: str, exchange: str, routing_key: str = "", arguments: Mapping[str, Any] | None = None) -> None:
        """Let the exchange's messages with this key into the queue."""
        self._ask(lambda done: self._pika.queue_bind(queue, exchange, routing_key, _table(arguments), callback=done))

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
        if self._lost is not None:
            raise self._lost
        if not messages:
            return []
        batch = self._confirms.batch(messages)
        try:
            self._connection.post(lambda: self._confirms.publish(self._pika, batch))
        except ConnectionLost:
            return [Receipt.UNKNOWN] * len(messages)
        return batch.wait(timeout)

    # -- hearing

    def consume(self, queue: str, *, auto_ack: bool = False, exclusive: bool = False) -> str:
        """Start a consumer; its deliveries come out of take."""
        tag = f"ctag{len(self._consumers) + 1}.{id(self):x}"
        self._consumers[tag] = queue
        self._ask(lambda done: self._pika.basic_consume(
            queue, lambda _, method, properties, body: self._deliver(queue, tag, auto_ack, method, properties, body),
            auto_ack=auto_ack, exclusive=exclusive, consumer_tag=tag, callback=done))
        return tag

    def cancel(self, consumer: str) -> None:
        """Stop a consumer; what it holds unacknowledged stays ours."""
        self._ask(lambda done: self._pika.basic_cancel(consumer, callback=done))

    def get(self, queue: str, *, auto_ack: bool = False) -> Delivery | None:
        """Fetch one message, if there is one."""

        def begin(got: Future[Any]) -> None:
            self._asked.add(got)
            self._getting = got
            self._pika.basic_get(queue, lambda _, method, properties, body: got.set_result(
                from_pika(queue, "", None if auto_ack else method.delivery_tag, method, properties, body)), auto_ack)

        if self._lost is not None:
            raise self._lost
        found: Delivery | None = self._connection.ask(begin)
        return found

    def take(self, limit: int, timeout: float | None) -> list[Delivery | Cancelled]:
        """Wait until something arrived, then hand out all that is there, at most ``limit``."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._items or self._woken or self._lost, timeout)
            if self._lost is not None:
                raise self._lost  # what arrived before is delivered again, to whoever comes next
            if not self._items:
                self._woken = False
            return [self._items.popleft() for _ in range(min(limit, len(self._items)))]

    def wake(self) -> None:
        """Make the current or next take return at once."""
        with self._arrived:
            self._woken = True
            self._arrived.notify_all()

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Say that a delivery is done with.  Does not wait for the broker."""
        self._tell(lambda: self._pika.basic_ack(tag, multiple))

    def nack(self, tag: int, *, multiple: bool = False, requeue: bool = True) -> None:
        """Give deliveries back, or drop them to the dead-letter exchange."""
        self._tell(lambda: self._pika.basic_nack(tag, multiple, requeue))

    def reject(self, tag: int, *, requeue: bool = False) -> None:
        """Give one delivery back, or drop it to the dead-letter exchange."""
        self._tell(lambda: self._pika.basic_reject(tag, requeue))

    # -- on the I/O thread

    def _deliver(self, queue: str, tag: str, auto_ack: bool, method: Any, properties: Any, body: bytes) -> None:
        delivery = from_pika(queue, tag, None if auto_ack else method.delivery_tag, method, properties, body)
        with self._arrived:
            self._items.append(delivery)
            self._arrived.notify()

    def _cancelled(self, frame: Any) -> None:
        tag = frame.method.consumer_tag
        with self._arrived:
            self._items.append(Cancelled(self._consumers.get(tag, ""), tag))
            self._arrived.notify()

    def _got_nothing(self, *_: object) -> None:
        if self._getting is not None and not self._getting.done():
            self._getting.set_result(None)

    # -- helpers

    def _ask(self, begin: Callable[[Callable[[Any], None]], object]) -> Any:
        """Do something the broker answers, and wait for its answer.  Raises ChannelClosed when it objects."""
        if self._lost is not None:
            raise self._lost

        def on_thread(future: Future[Any]) -> None:
            if self._lost is not None:
                raise self._lost
            self._asked.add(future)
            begin(lambda frame: succeed(future, frame))

        return self._connection.ask(on_thread)

    def _tell(self, action: Callable[[], object]) -> None:
        if self._lost is not None:
            raise self._lost
        self._connection.post(lambda: action() if self._lost is None else None)


def succeed(future: Future[Any], result: Any) -> None:
    """Hand the answer to whoever waits, unless they have heard of the channel's end already."""
    if not future.done():
        future.set_result(result)


def _table(arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(arguments) if arguments else None



"""The client's side of the embedded broker: a channel as :mod:`patterns.amqp` promises it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from patterns.amqp import Cancelled, Declares, Delivery, Outgoing, QueueInfo, Receipt
from patterns.broker.effects import CancelNotice, ChannelEnded, Confirm, Deliver, Effect, Return
from patterns.broker.wire import carried, own_copy
from patterns.errors import BrokerUnavailable, ChannelClosed
from patterns.runtime import runtime

if TYPE_CHECKING:
    from patterns.broker.connection import EmbeddedConnection
    from patterns.broker.engine import Engine


class EmbeddedChannel:
    """One channel in confirm mode."""

    def __init__(self, engine: Engine, connection: EmbeddedConnection, number: int) -> None:
        self.number = number
        self._engine, self._connection = engine, connection
        self._arrived: deque[Deliver | CancelNotice] = deque()
        self._receipts: dict[int, Receipt] = {}  # answers to publishes that are being made right now
        self._ended: BrokerUnavailable | None = None
        self._woken = False
        self._changed = runtime().condition(engine.lock)

    # --- what the transport tells us, under its lock ---

    def hear(self, effect: Effect) -> None:
        """Take in what the broker says to this channel."""
        match effect:
            case Deliver() | CancelNotice():
                self._arrived.append(effect)
                self._changed.notify_all()
            case Confirm(number=number, stored=stored):
                self._receipts.setdefault(number, Receipt.CONFIRMED if stored else Receipt.REFUSED)
            case Return(number=number):
                self._receipts[number] = Receipt.RETURNED
            case ChannelEnded(code=code, text=text):
                self.end(ChannelClosed(code, text))

    def end(self, why: BrokerUnavailable) -> None:
        """The channel is gone for good, and says why from now on."""
        if self._ended is None:
            self._ended = why
        self._arrived.clear()
        self._connection.channels.pop(self.number, None)
        self._engine.channels.pop(self.number, None)
        self._changed.notify_all()

    def check(self) -> None:
        """Raise what ended the channel, if something did."""
        if self._ended is not None:
            raise self._ended

    # --- the port ---

    @property
    def is_open(self) -> bool:
        """Whether the channel still works."""
        return self._ended is None

    @property
    def consumers(self) -> Mapping[str, str]:
        """The consumers that are alive, by tag, and the queue each reads."""
        with self._engine.lock:
            return {} if self._ended is not None else self._engine.machine.consumers_of(self.number)

    def declare_exchange(
        self, name: str, kind: str, *, durable: bool = True, auto_delete: bool = False, passive: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make an exchange, or check that it is there as said."""
        with self._engine.operation(self) as (machine, now):
            machine.declare_exchange(
                self.number, name, kind, now,
                durable=durable, auto_delete=auto_delete, passive=passive, arguments=arguments,
            )

    def declare_queue(
        self, name: str, *, durable: bool = True, exclusive: bool = False, auto_delete: bool = False,
        passive: bool = False, arguments: Mapping[str, Any] | None = None,
    ) -> QueueInfo:
        """Make a queue, or check it; an empty name lets the broker choose one."""
        with self._engine.operation(self) as (machine, now):
            return machine.declare_queue(
                self.number, name, now, durable=durable, exclusive=exclusive, auto_delete=auto_delete,
                passive=passive, arguments=arguments,
            )

    def bind(self, queue: str, exchange: str, routing_key: str = "", arguments: Mapping[str, Any] | None = None) -> None:
        """Let the exchange's messages with this key into the queue."""
        with self._engine.operation(self) as (machine, now):
            machine.bind(self.number, queue, exchange, routing_key, now, arguments)

    def pipeline(self) -> AbstractContextManager[Declares]:
        """Declare many things; here nobody has far to go, so each is done at once."""
        return nullcontext(self)

    def unbind(
        self, queue: str, exchange: str, routing_key: str = "", arguments: Mapping[str, Any] | None = None
    ) -> None:
        """Undo a bind."""
        with self._engine.operation(self) as (machine, now):
            machine.unbind(self.number, queue, exchange, routing_key, now, arguments)

    def delete_queue(self, name: str, *, if_unused: bool = False, if_empty: bool = False) -> int:
        """Delete a queue; answers how many messages went with it."""
        with self._engine.operation(self) as (machine, now):
            return machine.delete_queue(self.number, name, now, if_unused=if_unused, if_empty=if_empty)

    def delete_exchange(self, name: str, *, if_unused: bool = False) -> None:
        """Delete an exchange and its bindings."""
        with self._engine.operation(self) as (machine, now):
            machine.delete_exchange(self.number, name, now, if_unused=if_unused)

    def purge(self, queue: str) -> int:
        """Throw away a queue's ready messages; answers how many."""
        with self._engine.operation(self) as (machine, now):
            return machine.purge(self.number, queue, now)

    def qos(self, prefetch: int) -> None:
        """At most so many unacknowledged messages for each consumer started after this (0: no limit)."""
        with self._engine.operation(self) as (machine, _):
            machine.qos(self.number, prefetch)

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:  # noqa: ARG002
        """Publish all; one receipt each, in order.  What came after a mistake that closed the channel is UNKNOWN.

        This broker answers at once, so it never needs the timeout.
        """
        messages = [carried(message) for message in messages]
        numbers: list[int] = []
        with self._engine.operation(self, waits=False) as (machine, now):
            for message in messages:
                numbers.append(machine.publish(self.number, message, now))  # noqa: PERF401 (keeps what came before)
        with self._engine.lock:
            answers = [self._receipts.pop(number, Receipt.UNKNOWN) for number in numbers]
        return answers + [Receipt.UNKNOWN] * (len(messages) - len(answers))

    def consume(self, queue: str, *, auto_ack: bool = False, exclusive: bool = False) -> str:
        """Start a consumer; its deliveries come out of :meth:`take`.  Answers the consumer tag."""
        with self._engine.operation(self) as (machine, now):
            return machine.consume(self.number, queue, now, auto_ack=auto_ack, exclusive=exclusive)

    def cancel(self, consumer: str) -> None:
        """Stop a consumer; what it holds unacknowledged stays ours."""
        with self._engine.operation(self) as (machine, now):
            machine.cancel(self.number, consumer, now)

    def get(self, queue: str, *, auto_ack: bool = False) -> Delivery | None:
        """Fetch one message, if there is one."""
        with self._engine.operation(self) as (machine, now):
            fetched = machine.get(self.number, queue, now, auto_ack=auto_ack)
        return None if fetched is None else _delivery(fetched)

    def take(self, limit: int, timeout: float | None) -> list[Delivery | Cancelled]:
        """Wait until something arrived, then hand out all that is there, at most ``limit``."""
        with self._engine.lock:
            self._changed.wait_for(self._stirred, timeout)
            self.check()
            self._woken = False
            taken = [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]
        return [
            _delivery(item) if isinstance(item, Deliver) else Cancelled(item.queue, item.consumer) for item in taken
        ]

    def _stirred(self) -> bool:
        return bool(self._arrived) or self._woken or self._ended is not None

    def wake(self) -> None:
        """Make the current or next :meth:`take` return at once."""
        with self._engine.lock:
            self._woken = True
            self._changed.notify_all()

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Say that a delivery (``multiple``: and all before it) is done with."""
        with self._engine.operation(self, waits=False) as (machine, now):
            machine.ack(self.number, tag, now, multiple=multiple)

    def nack(self, tag: int, *, multiple: bool = False, requeue: bool = True) -> None:
        """Give a delivery (``multiple``: and all before it) back, or drop it to the dead-letter exchange."""
        with self._engine.operation(self, waits=False) as (machine, now):
            machine.nack(self.number, tag, now, multiple=multiple, requeue=requeue)

    def reject(self, tag: int, *, requeue: bool = False) -> None:
        """Give one delivery back, or drop it to the dead-letter exchange."""
        with self._engine.operation(self, waits=False) as (machine, now):
            machine.reject(self.number, tag, now, requeue=requeue)

    def close(self) -> None:
        """Close the channel; what it holds unacknowledged is requeued.  Closing twice is fine."""
        self._engine.close_channel(self)


def _delivery(effect: Deliver) -> Delivery:
    message, more = effect.message, {"x-delivery-count": effect.returns} if effect.returns else {}
    return Delivery(
        effect.queue, effect.tag, message.exchange, message.routing_key, message.body,
        own_copy(message.properties, **more),
        effect.redelivered, effect.consumer,
    )

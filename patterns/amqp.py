"""The port to a broker: what AMQP 0-9-1 offers, in the few words we need.

Two transports keep this contract: :mod:`patterns.connection` (RabbitMQ, through pika) and :mod:`patterns.broker`
(embedded).  ``tests/contract`` holds both to the same cases.  All calls block until the broker answered; ``publish``
and ``wake`` may be called from any thread, everything else on a channel belongs to one thread.

Every call may raise :class:`~patterns.errors.ConnectionLost` or :class:`~patterns.errors.ChannelClosed`; after
either, the channel is gone for good: open a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"
"""RabbitMQ's pseudo-queue for replies; consume from it and publish requests on the *same* channel.

https://www.rabbitmq.com/docs/direct-reply-to
"""

UNDECODABLE = "undecodable_headers"
"""The only header of a message whose headers are no AMQP table: the bytes they came as."""


@dataclass(frozen=True, slots=True)
class Properties:
    """A message's envelope, as AMQP's basic properties."""

    message_id: str | None = None
    type: str | None = None
    correlation_id: str | None = None
    app_id: str | None = None
    timestamp: int | None = None  # seconds since 1970
    content_type: str | None = "application/json"
    reply_to: str | None = None
    expiration: str | None = None  # milliseconds, as digits: AMQP wants a string
    persistent: bool = True
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to the broker.  ``mandatory``: tell us when no queue takes it."""

    exchange: str
    routing_key: str
    body: bytes
    properties: Properties = Properties()
    mandatory: bool = True


class Receipt(Enum):
    """What became of a published message."""

    CONFIRMED = "confirmed"  # every queue it was routed to has it
    RETURNED = "returned"  # mandatory, and no queue is bound there
    REFUSED = "refused"  # basic.nack: a queue is full (reject-publish) or failed
    UNKNOWN = "unknown"  # the connection broke, or time ran out, before the broker said


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that arrived.  ``tag`` is None when it needs no ack (auto-ack)."""

    queue: str
    tag: int | None
    exchange: str
    routing_key: str
    body: bytes
    properties: Properties
    redelivered: bool = False
    consumer: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The broker ended one of our consumers, because its queue was deleted or failed over."""

    queue: str
    consumer: str


@dataclass(frozen=True, slots=True)
class QueueInfo:
    """What the broker says of a queue: ``messages`` ready (not those in flight), and its consumers."""

    name: str
    messages: int
    consumers: int


class Declares(Protocol):
    """What makes a topology: a channel, or its pipeline."""

    def declare_exchange(self, name: str, kind: str) -> object:
        """Make a durable exchange."""

    def declare_queue(self, name: str, *, arguments: Mapping[str, Any] | None = None) -> object:
        """Make a durable queue."""

    def bind(self, queue: str, exchange: str, routing_key: str = "") -> object:
        """Let the exchange's messages with this key into the queue."""


class Channel(Protocol):
    """One AMQP channel in confirm mode."""

    @property
    def is_open(self) -> bool:
        """Whether the channel still works, as far as we know."""

    @property
    def consumers(self) -> Mapping[str, str]:
        """The consumers that are alive as far as we know, by tag, and the queue each reads."""

    def declare_exchange(
        self, name: str, kind: str, *, durable: bool = True, auto_delete: bool = False, passive: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make an exchange (direct, fanout, topic or headers), or check that it is there as said (406 when not)."""

    def declare_queue(
        self, name: str, *, durable: bool = True, exclusive: bool = False, auto_delete: bool = False,
        passive: bool = False, arguments: Mapping[str, Any] | None = None,
    ) -> QueueInfo:
        """Make a queue, or check it; an empty name lets the broker choose one."""

    def bind(self, queue: str, exchange: str, routing_key: str = "", arguments: Mapping[str, Any] | None = None) -> None:
        """Let the exchange's messages with this key into the queue."""

    def pipeline(self) -> AbstractContextManager[Declares]:
        """Declare many things and wait once: all are sent at the end, in order; raises what the first mistake raises."""

    def unbind(
        self, queue: str, exchange: str, routing_key: str = "", arguments: Mapping[str, Any] | None = None
    ) -> None:
        """Undo a bind."""

    def delete_queue(self, name: str, *, if_unused: bool = False, if_empty: bool = False) -> int:
        """Delete a queue; answers how many messages went with it."""

    def delete_exchange(self, name: str, *, if_unused: bool = False) -> None:
        """Delete an exchange and its bindings."""

    def purge(self, queue: str) -> int:
        """Throw away a queue's ready messages; answers how many."""

    def qos(self, prefetch: int) -> None:
        """At most so many unacknowledged messages for each consumer started after this (0: no limit)."""

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        """Publish all, then wait once until the broker has answered for each; one receipt each, in order.

        Does not raise when the connection breaks meanwhile: what was not answered is UNKNOWN.  Raises when the
        channel was closed already.  May be called from several threads at once.
        """

    def consume(self, queue: str, *, auto_ack: bool = False, exclusive: bool = False) -> str:
        """Start a consumer; its deliveries come out of :meth:`take`.  Answers the consumer tag."""

    def cancel(self, consumer: str) -> None:
        """Stop a consumer; what it holds unacknowledged stays ours, and what was on its way to us still comes."""

    def get(self, queue: str, *, auto_ack: bool = False) -> Delivery | None:
        """Fetch one message, if there is one."""

    def take(self, limit: int, timeout: float | None) -> list[Delivery | Cancelled]:
        """Wait until something arrived, then hand out all that is there, at most ``limit``.

        An empty list when ``timeout`` (seconds) passed or :meth:`wake` was called.
        """

    def wake(self) -> None:
        """Make the current or next :meth:`take` return at once."""

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Say that a delivery (``multiple``: and all before it) is done with.  Does not wait for the broker."""

    def nack(self, tag: int, *, multiple: bool = False, requeue: bool = True) -> None:
        """Give a delivery (``multiple``: and all before it) back, or drop it to the dead-letter exchange."""

    def reject(self, tag: int, *, requeue: bool = False) -> None:
        """Give one delivery back, or drop it to the dead-letter exchange."""

    def close(self) -> None:
        """Close the channel; what it holds unacknowledged is requeued.  Closing twice is fine."""


class Connection(Protocol):
    """One connection to a broker."""

    @property
    def is_open(self) -> bool:
        """Whether the connection still works, as far as we know."""

    @property
    def blocked(self) -> str | None:
        """Why the broker takes no messages from us at the moment (its memory or disk is full); None while it does."""

    def channel(self) -> Channel:
        """Open a channel with publisher confirms on."""

    def close(self) -> None:
        """Close the connection and its channels.  Closing twice is fine."""


class Transport(Protocol):
    """A broker one can connect to."""

    def connect(self, name: str) -> Connection:
        """Connect once, under a name people see in the broker's list.

        Raises :class:`~patterns.errors.BrokerUnavailable` when it does not answer.
        """

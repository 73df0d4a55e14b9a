"""What the broker remembers, as plain data: messages, queues, consumers, channels, connections.

Nothing here decides anything; the machine's layers do.  Plain data can be copied whole, so a simulation can look at a
broker as it was, and a restart can be told apart from a crash.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from patterns.amqp import Properties

JournalEntry = tuple[Any, ...]
"""One durable change, as :mod:`patterns.broker.records` names them."""


@dataclass(slots=True)
class Message:
    """A published message; never changed afterwards, so all queues share the one object."""

    exchange: str
    routing_key: str
    body: bytes
    properties: Properties

    def __deepcopy__(self, memo: dict[int, Any]) -> Message:
        return self


@dataclass(slots=True, eq=False)
class Entry:
    """A message's place in one queue.  ``id`` grows with every arrival, so it is also the message's position."""

    id: int
    message: Message
    expires_at: float | None = None
    returns: int = 0  # how often it was given back: a quorum queue's delivery count
    redelivered: bool = False
    lasting: bool = False  # survives a restart of the broker


@dataclass(slots=True, eq=False)
class Queue:
    """A queue: its declaration, what is ready, and who reads it."""

    name: str
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    owner: int | None = None  # the connection an exclusive queue belongs to
    # What that means; see patterns.broker.arguments.
    lasting: bool = False  # survives a restart of the broker
    quorum: bool = False
    ttl: float | None = None
    expires: float | None = None
    dead_letter_exchange: str | None = None
    dead_letter_key: str | None = None
    keeps_dead: bool = False  # at-least-once dead-lettering: what cannot move on stays
    max_length: int | None = None
    rejects: bool = False  # x-overflow: reject-publish
    delivery_limit: int | None = None
    # What happened so far.
    ready: deque[Entry] = field(default_factory=deque)
    consumers: deque[Consumer] = field(default_factory=deque)
    stuck: dict[int, tuple[Entry, str]] = field(default_factory=dict)  # dead, and nowhere to go yet
    unacked: int = 0
    returned: int = 0  # how many at the head of ``ready`` were given back (quorum queues hand those out first)
    unused_since: float = 0.0
    deleted: bool = False


@dataclass(slots=True, eq=False)
class Consumer:
    """Somebody who reads a queue on a channel."""

    tag: str
    channel: Channel
    queue: Queue
    auto_ack: bool
    exclusive: bool
    prefetch: int  # 0: no limit
    unacked: int = 0


Held = tuple[Entry, Queue, Consumer | None]
"""A delivered message that nobody acknowledged yet; the consumer is None when it was fetched with get."""


@dataclass(slots=True, eq=False)
class Channel:
    """A channel in confirm mode."""

    id: int
    connection: Connection
    prefetch: int = 0
    last_tag: int = 0
    published: int = 0
    unacked: dict[int, Held] = field(default_factory=dict)  # by delivery tag, so in order of delivery
    consumers: dict[str, Consumer] = field(default_factory=dict)
    reply_token: str | None = None  # set while it consumes from amq.rabbitmq.reply-to
    reply_consumer: str = ""


@dataclass(slots=True, eq=False)
class Connection:
    """A client's connection."""

    id: int
    name: str
    channels: dict[int, Channel] = field(default_factory=dict)

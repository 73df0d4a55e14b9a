"""What a program may do.  Numbers are taken modulo what there is, so every program can be run, also a shrunk one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CLIENTS = 3
"""Channels: the first two share a connection, the third has its own."""
QUEUES = 4
EXCHANGES = 3
KEYS = ("a", "b", "a.b", "a.b.c", "", "b..a")
PATTERNS = ("a", "a.*", "#", "*.b.#", "", "a.#.c", "a.#", "#.b")
HEADERS: tuple[Mapping[str, Any], ...] = ({}, {"k": 1}, {"k": "1", "j": None}, {"k": 1, "x-k": True})
WANTED: tuple[Mapping[str, Any], ...] = (
    {}, {"x-match": "any", "k": 1}, {"k": "1"}, {"j": None, "x-match": "all"}, {"x-match": "all-with-x", "x-k": True},
    {"x-match": "any-with-x", "x-k": True, "k": 2},
)
LONG, SHORT = 600_000, 30
"""Milliseconds: longer than any program, and short enough to wait for."""


@dataclass(frozen=True)
class Shape:
    """How a queue is declared."""

    quorum: bool = False
    exclusive: bool = False
    auto_delete: bool = False
    durable: bool = True
    ttl: int | None = None
    max_length: int | None = None
    rejects: bool = False
    delivery_limit: int | None = None
    dead_to: int | None = None
    """The queue (below QUEUES) or exchange its dead letters go to; one number more: an exchange that is not there."""
    dead_key: int | None = None
    safely: bool = False
    """Dead letters at least once: what cannot move on stays.  For quorum queues, as the services' own are."""


@dataclass(frozen=True)
class Said:
    """One message; ``to`` is a queue (below QUEUES, by the default exchange) or an exchange."""

    to: int = 0
    key: int = 0
    mandatory: bool = False
    persistent: bool = True
    expiration: int | None = None
    headers: int = 0


@dataclass(frozen=True)
class Operation:
    """Something one client does."""

    client: int = 0


@dataclass(frozen=True)
class DeclareQueue(Operation):
    """Make a queue; one that is there is declared again, as it is or (``otherwise``) a little differently."""

    queue: int = 0
    shape: Shape = Shape()
    otherwise: bool = False


@dataclass(frozen=True)
class CheckQueue(Operation):
    """Declare passively, whether it is there or not."""

    queue: int = 0


@dataclass(frozen=True)
class DeclareExchange(Operation):
    """Make an exchange, or declare it again."""

    exchange: int = 0
    kind: str = "topic"
    auto_delete: bool = False
    alternate: int | None = None


@dataclass(frozen=True)
class DeleteQueue(Operation):
    """Delete a queue."""

    queue: int = 0
    if_unused: bool = False
    if_empty: bool = False


@dataclass(frozen=True)
class DeleteExchange(Operation):
    """Delete an exchange."""

    exchange: int = 0
    if_unused: bool = False


@dataclass(frozen=True)
class Bind(Operation):
    """Bind a queue, or undo it (``off``)."""

    queue: int = 0
    exchange: int = 0
    pattern: int = 0
    wanted: int = 0
    off: bool = False


@dataclass(frozen=True)
class Publish(Operation):
    """Publish some messages together; those that expire soon are waited for."""

    messages: tuple[Said, ...] = (Said(),)


@dataclass(frozen=True)
class Get(Operation):
    """Fetch one message."""

    queue: int = 0
    auto_ack: bool = False


@dataclass(frozen=True)
class Consume(Operation):
    """Start a consumer."""

    queue: int = 0
    prefetch: int = 0
    auto_ack: bool = False
    exclusive: bool = False


@dataclass(frozen=True)
class Cancel(Operation):
    """Stop a consumer."""

    nth: int = 0


@dataclass(frozen=True)
class Settle(Operation):
    """Acknowledge deliveries, give them back, or drop them.  ``nth`` -1: a tag that was never given; -2: all there are."""

    nth: int = 0
    how: str = "ack"
    multiple: bool = False
    requeue: bool = True


@dataclass(frozen=True)
class Purge(Operation):
    """Throw away what is ready."""

    queue: int = 0


@dataclass(frozen=True)
class Close(Operation):
    """Close the channel, or (``connection``) the connection, and open it again."""

    connection: bool = False


@dataclass(frozen=True)
class Ask(Operation):
    """Publish a request, with direct reply-to."""

    queue: int = 0


@dataclass(frozen=True)
class Reply(Operation):
    """Answer a request that was delivered to somebody."""

    nth: int = 0
    mandatory: bool = False


@dataclass(frozen=True)
class Program:
    """Queues and exchanges to begin with, and then what is done."""

    queues: tuple[Shape, ...] = (Shape(),)
    exchanges: tuple[DeclareExchange, ...] = ()
    operations: tuple[Operation, ...] = field(default=())

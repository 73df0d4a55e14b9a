"""What the machine tells its clients, in the order it happened: the driver passes it on, at once or later."""

from __future__ import annotations

from dataclasses import dataclass

from patterns.broker.data import Message


@dataclass(slots=True)
class Deliver:
    """A message for a consumer.  ``tag`` is None when no ack is awaited; ``returns`` is x-delivery-count."""

    channel: int
    consumer: str
    queue: str
    tag: int | None
    message: Message
    redelivered: bool
    returns: int


@dataclass(slots=True)
class Confirm:
    """The answer to the channel's publish with this number (counted from 1): stored, or (basic.nack) refused."""

    channel: int
    number: int
    stored: bool


@dataclass(slots=True)
class Return:
    """A mandatory message that no queue took; its confirm follows."""

    channel: int
    number: int
    message: Message


@dataclass(slots=True)
class CancelNotice:
    """The consumer ended because its queue is gone."""

    channel: int
    consumer: str
    queue: str


@dataclass(slots=True)
class ChannelEnded:
    """The broker closed the channel, and says why."""

    channel: int
    code: int
    text: str


@dataclass(slots=True)
class ConnectionEnded:
    """The broker closed the whole connection, because of what this channel asked, and says why."""

    channel: int
    connection: int
    code: int
    text: str


Effect = Deliver | Confirm | Return | CancelNotice | ChannelEnded | ConnectionEnded

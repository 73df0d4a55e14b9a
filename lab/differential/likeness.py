"""What of an answer must be the same on both brokers: all but times, names they give out, and what 4.0 adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from patterns.amqp import DIRECT_REPLY_TO, Cancelled, Delivery
from patterns.broker.data import Message
from patterns.broker.deadletter import deaths_of
from patterns.errors import ChannelClosed

Arrived = Delivery | Cancelled
Known = tuple[bytes, str]
"""Which copy of which message: a queue may get it from its publisher, and again from a queue it died in."""


def alike(outcome: Any, named: Callable[[str], str]) -> Any:
    """An answer, without what may differ.  ``named`` says what we call a consumer."""
    match outcome:
        case ChannelClosed(code=code):
            return code
        case Exception():
            return type(outcome).__name__
        case Cancelled(queue=queue, consumer=consumer):
            return ("cancelled", queue, named(consumer))
        case Delivery():
            reply_to = outcome.properties.reply_to
            if reply_to is not None and reply_to.startswith(DIRECT_REPLY_TO):
                reply_to = DIRECT_REPLY_TO
            key = DIRECT_REPLY_TO if outcome.routing_key.startswith(DIRECT_REPLY_TO) else outcome.routing_key
            properties = replace(outcome.properties, headers=plain_headers(outcome), reply_to=reply_to)
            return replace(
                outcome, tag=None if outcome.tag is None else 0, routing_key=key, consumer=named(outcome.consumer),
                properties=properties,
            )
    return outcome


def known_by(message: Message | Delivery) -> Known:
    """Its body, which no other message has, and where it came from."""
    return message.body, source_of(message)


def source_of(message: Message | Delivery) -> str:
    """Where a message came from: a publisher (no name), or the queue it died in."""
    deaths = deaths_of(message.properties.headers)
    return str(deaths[0].get("queue")) if deaths else ""


def plain_headers(delivery: Delivery) -> dict[str, Any]:
    """A delivery's headers, without what may differ."""
    headers = {name: _plain(value) for name, value in delivery.properties.headers.items()
               if not name.startswith("x-last-death-")}  # RabbitMQ 4.0 adds these to what 3.10 says
    if headers.get("x-delivery-count") == 0:
        del headers["x-delivery-count"]  # 3.10 says 0, 4.0 says nothing
    return headers


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items() if name != "time"}
        case list():
            return [_plain(each) for each in value]
    return value


def told(item: Any) -> str:
    """An answer in a few words, for whoever reads a difference."""
    match item:
        case Delivery():
            headers = {name: value for name, value in item.properties.headers.items() if not name.startswith("x-first")}
            again = " redelivered" if item.redelivered else ""
            return f"{item.body.decode()} from {item.queue} to {item.consumer or 'get'}{again} {headers or ''}".strip()
        case list() | tuple():
            return "[" + ", ".join(map(told, item)) + "]"
    return str(item)

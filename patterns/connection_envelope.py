"""The envelope as pika writes and reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pika
from pika import data

from patterns.amqp import Delivery, Properties


def to_pika(properties: Properties) -> pika.BasicProperties:
    """Our envelope as pika writes it."""
    return pika.BasicProperties(
        message_id=properties.message_id, type=properties.type, correlation_id=properties.correlation_id,
        app_id=properties.app_id, timestamp=properties.timestamp, content_type=properties.content_type,
        reply_to=properties.reply_to, expiration=properties.expiration, headers=dict(properties.headers) or None,
        delivery_mode=2 if properties.persistent else 1,
    )


def from_pika(queue: str, consumer: str, tag: int | None, method: Any, properties: Any, body: bytes) -> Delivery:
    """A delivery in our words."""
    envelope = Properties(
        message_id=_text(properties.message_id), type=_text(properties.type),
        correlation_id=_text(properties.correlation_id), app_id=_text(properties.app_id),
        timestamp=None if properties.timestamp is None else int(properties.timestamp),
        content_type=_text(properties.content_type), reply_to=_text(properties.reply_to),
        expiration=_text(properties.expiration), persistent=properties.delivery_mode == 2,
        headers=_plain(properties.headers or {}),
    )
    return Delivery(
        queue, tag, method.exchange, method.routing_key, body, envelope, redelivered=method.redelivered, consumer=consumer
    )


def forgiving(decode: Callable[[bytes, int], tuple[Any, int]]) -> Callable[[bytes, int], tuple[Any, int]]:
    """Let a header that Python has no value for (a date after 9999, a float that is no number) be the bytes it came as.

    Otherwise a stranger's one odd message would end the connection, be delivered again, and end the next one.
    """

    def decode_value(encoded: bytes, offset: int) -> tuple[Any, int]:
        try:
            return decode(encoded, offset)
        except (ValueError, OverflowError, OSError):
            size = {b"T": 8, b"d": 8, b"f": 4}.get(encoded[offset : offset + 1])
            if size is None:
                raise
            return encoded[offset + 1 : offset + 1 + size], offset + 1 + size

    return decode_value


data.decode_value = forgiving(data.decode_value)


def _text(value: Any) -> str | None:
    """A short string; pika hands out bytes where they are not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _plain(value: Any) -> Any:
    """The same without pika's own kind of integer, which shows as ``5L`` and which databases do not know."""
    if isinstance(value, dict):
        return {_text(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value

"""The envelope as pika writes and reads it."""

from __future__ import annotations

from typing import Any

import pika

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


def _text(value: Any) -> str | None:
    """A short string; pika hands out bytes where they are not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _plain(value: Any) -> Any:
    """The same without pika's own kind of integer, which shows as ``5L`` and which databases do not know."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value

"""Our envelope as pika writes and reads it, whatever a stranger put into it."""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Callable
from typing import Any

import pika
from pika import data

from patterns.amqp import UNDECODABLE, Delivery, Properties

Table = Callable[[bytes, int], tuple[dict[Any, Any], int]]
Value = Callable[[bytes, int], tuple[Any, int]]

DEEPEST = 16
"""Tables and arrays in headers are read so deep.

100 KiB of headers can be nested thousands deep, which RabbitMQ carries and Python's recursion does not survive.
"""


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
        queue, tag, method.exchange, _text(method.routing_key) or "", body, envelope,
        redelivered=method.redelivered, consumer=consumer,
    )


class Tables(threading.local):
    """Reads AMQP's tables where pika would give up, or go under.

    A stranger's one odd message would else end the connection, be delivered again, and end the next one.
    """

    table: Table = staticmethod(data.decode_table)
    value: Value = staticmethod(data.decode_value)

    def __init__(self) -> None:
        self.depth = 0

    def decode_table(self, encoded: bytes, offset: int) -> tuple[dict[Any, Any], int]:
        """A table; one that cannot be read is one header with its bytes."""
        if self.depth:  # an error in here is the outermost table's to forgive
            return self.table(encoded, offset)
        content, end = _sized(encoded, offset)
        try:
            table, found_end = self.table(encoded, offset)
        except Exception:  # whatever it is: the message itself is readable, and parked for its headers
            return {UNDECODABLE: content}, end
        return (table if found_end == end else {UNDECODABLE: content}), end

    def decode_value(self, encoded: bytes, offset: int) -> tuple[Any, int]:
        """A value; the bytes it came as where Python has none for it (a date after 9999, a float that is no number)."""
        kind = encoded[offset : offset + 1]
        if kind in (b"F", b"A"):
            return self._nested(encoded, offset)
        if kind in (b"d", b"f"):
            return _number(encoded, offset, 8 if kind == b"d" else 4)
        try:
            return self.value(encoded, offset)
        except (ValueError, OverflowError, OSError):
            if kind != b"T":
                raise
            return encoded[offset + 1 : offset + 9], offset + 9

    def _nested(self, encoded: bytes, offset: int) -> tuple[Any, int]:
        if self.depth >= DEEPEST:
            return _sized(encoded, offset + 1)
        self.depth += 1
        try:
            return self.value(encoded, offset)
        finally:
            self.depth -= 1


def _sized(encoded: bytes, offset: int) -> tuple[bytes, int]:
    """What stands behind its length, unread."""
    start = offset + 4
    end = start + int(struct.unpack_from(">I", encoded, offset)[0])
    return encoded[start:end], end


def _number(encoded: bytes, offset: int, size: int) -> tuple[float | bytes, int]:
    """A float, which pika would cut to an integer."""
    end = offset + 1 + size
    number: float = struct.unpack_from(">d" if size == 8 else ">f", encoded, offset + 1)[0]
    return number if math.isfinite(number) else encoded[offset + 1 : end], end


_tables = Tables()
data.decode_table, data.decode_value = _tables.decode_table, _tables.decode_value


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

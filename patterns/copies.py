"""Copies of other people's messages: what of an envelope can be written again, and what must stay behind.

A failed message is copied onto the retry ladder or into the parked queue.  Whoever wrote it may have used what our
broker carries and we cannot write, or headers that the broker obeys; a copy must neither fail nor do their will.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from patterns.amqp import Properties

LARGEST_HEADERS = 100_000
"""Bytes of headers a copy keeps whole; it must fit into a frame of 128 KiB with ids and reasons beside them."""

SHORT = 255
"""The bytes in AMQP's short string: names and ids."""

DEEPEST = 16

OBEYED = ("CC", "BCC")
"""RabbitMQ sends a message to these routing keys too (https://www.rabbitmq.com/docs/sender-selected)."""

THE_BROKERS = ("x-death", "x-delivery-count", "x-first-death", "x-last-death")
"""What the broker writes itself.  RabbitMQ 3.10 believes a forged ``x-death``; its dead-lettering can crash on it."""


def copied_properties(properties: Properties, headers: Mapping[str, Any]) -> Properties:
    """The envelope of a copy: it lasts, it does not expire, and every text in it can be written."""
    timestamp = properties.timestamp
    return replace(
        properties, headers=headers, expiration=None, persistent=True,
        message_id=_short(properties.message_id), type=_short(properties.type),
        correlation_id=_short(properties.correlation_id), app_id=_short(properties.app_id),
        content_type=_short(properties.content_type), reply_to=_short(properties.reply_to),
        timestamp=timestamp if timestamp is None or 0 <= timestamp < 2**64 else None,
    )


def copied_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of a copy.

    Those a broker would obey are kept under another name (``client.CC``), its own stay behind.  What we cannot write is
    kept as text.  Of more than LARGEST_HEADERS bytes the rest is counted, not kept.
    """
    kept: dict[str, Any] = {}
    room, dropped = LARGEST_HEADERS, 0
    for name, value in headers.items():
        if name.startswith(THE_BROKERS):
            continue
        value = _writable(value, DEEPEST)
        size = _size(value) + len(name.encode(errors="replace")) + 1
        if size > room:
            dropped += 1
            continue
        room -= size
        kept[_cut(f"client.{name}" if name.startswith("x-") or name in OBEYED else name, SHORT)] = value
    if dropped:
        kept["dropped_headers"] = f"{dropped} of {len(headers)} headers were too large to keep"
    return kept


def _writable(value: Any, depth: int) -> Any:
    """The same value, or as text where AMQP or pika has no way to write it."""
    match value:
        case None | bool() | bytes():
            return value
        case str():
            return _unicode(value)
        case int() if -(2**63) <= value < 2**63:
            return int(value)
        case datetime() if value.replace(tzinfo=value.tzinfo or UTC).timestamp() >= 0:
            return value
        case Decimal() if _fits(value):
            return value
        case dict() if depth:
            return {_cut(str(name), SHORT): _writable(each, depth - 1) for name, each in value.items()}
        case list() if depth:
            return [_writable(each, depth - 1) for each in value]
    return _unicode(repr(value) if isinstance(value, dict | list) else str(value))


def _fits(value: Decimal) -> bool:
    """Whether it is at most 255 decimals behind a 32-bit number."""
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or not -SHORT <= exponent <= 10:
        return False
    return -(2**31) <= value.scaleb(max(0, -exponent)) < 2**31


def _size(value: Any) -> int:
    """About how many bytes a value takes on the wire."""
    match value:
        case str():
            return 5 + len(value.encode())
        case bytes():
            return 5 + len(value)
        case dict():
            return 5 + sum(1 + len(name.encode()) + _size(each) for name, each in value.items())
        case list():
            return 5 + sum(map(_size, value))
    return 9


def number(value: Any, most: float = math.inf) -> int:
    """A header as a count; 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else 0


def _short(text: str | None) -> str | None:
    return None if text is None else _cut(text, SHORT)


def _cut(text: str, size: int) -> str:
    """As much of the text as fits into so many bytes of UTF-8."""
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def _unicode(text: str) -> str:
    """The text without halves of surrogate pairs, which nothing can write."""
    return text.encode(errors="replace").decode()

"""Strangers: whoever may write to our broker, with a client that writes whatever AMQP can carry.

On RabbitMQ a letter is put on the wire byte by byte, beside pika's own idea of what a header may hold; the embedded
broker has no wire, and gets what a consumer of RabbitMQ would see of it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pika

from patterns.amqp import Outgoing, Properties, Receipt, Transport


@dataclass(frozen=True)
class Field:
    """A header's value: AMQP's letter for its type, and the value as this type holds it.

    https://www.rabbitmq.com/amqp-0-9-1-errata#section_3
    """

    kind: str
    value: Any = None

    FORMATS: ClassVar = {
        "b": ">b", "B": ">B", "u": ">H", "s": ">h", "I": ">i", "i": ">I", "l": ">q", "L": ">q", "f": ">f", "d": ">d",
    }

    def encoded(self) -> bytes:
        """The value on the wire."""
        match self.kind:
            case "t":
                content = bytes([self.value])
            case "V":
                content = b""
            case "S" | "x":
                content = struct.pack(">I", len(self.value)) + self.value
            case "D":
                content = struct.pack(">Bi", *self.value)
            case "T":
                content = struct.pack(">Q", self.value)
            case "A":
                inner = b"".join(each.encoded() for each in self.value)
                content = struct.pack(">I", len(inner)) + inner
            case "F":
                content = table(self.value)
            case "raw":
                return bytes(self.value)
            case _:
                content = struct.pack(self.FORMATS[self.kind], self.value)
        return self.kind.encode() + content

    def seen(self) -> Any:
        """The value as a consumer sees it, if AMQP's port can carry it."""
        match self.kind:
            case "S":
                return self.value.decode(errors="replace")
            case "D":
                return Decimal(self.value[1]).scaleb(-self.value[0])
            case "T":
                return datetime.fromtimestamp(self.value, UTC) if self.value < 2**35 else struct.pack(">Q", self.value)
            case "A":
                return [each.seen() for each in self.value]
            case "F":
                return {name.decode(errors="replace")[:80]: each.seen() for name, each in self.value}
            case "f" | "d":
                return str(self.value)
            case "t":
                return bool(self.value)
        return self.value


def table(fields: Sequence[tuple[bytes, Field]]) -> bytes:
    """A table on the wire."""
    inner = b"".join(bytes([len(name)]) + name + each.encoded() for name, each in fields)
    return struct.pack(">I", len(inner)) + inner


def plain(headers: Mapping[str, Any]) -> tuple[tuple[bytes, Field], ...]:
    """Ordinary headers: texts and numbers."""
    return tuple(
        (name.encode(), Field("l", value) if isinstance(value, int) else Field("S", str(value).encode()))
        for name, value in headers.items()
    )


@dataclass(frozen=True)
class Letter:
    """A message as a stranger writes it.  Texts are bytes: they need not be UTF-8.  None: left out."""

    body: bytes
    message_id: bytes | None = None
    type: bytes | None = None
    content_type: bytes | None = b"application/json"
    headers: tuple[tuple[bytes, Field], ...] = ()
    reply_to: bytes | None = None
    correlation_id: bytes | None = None
    app_id: bytes | None = None
    expiration: bytes | None = None
    timestamp: int | None = None
    priority: int | None = None
    content_encoding: bytes | None = None
    cluster_id: bytes | None = None
    persistent: bool = True
    exchange: str = ""
    key: str | bytes = ""
    mandatory: bool = True


class Visitor:
    """A stranger at the embedded broker."""

    def __init__(self, transport: Transport) -> None:
        self._connection = transport.connect("stranger")
        self._channel = self._connection.channel()

    def send(self, *letters: Letter) -> None:
        """Send; returns when the broker has them."""
        receipts = self._channel.publish([_seen(letter) for letter in letters])
        assert set(receipts) == {Receipt.CONFIRMED}, receipts

    def close(self) -> None:
        self._connection.close()


class Client:
    """A stranger at RabbitMQ, with a client that checks nothing."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def send(self, *letters: Letter) -> None:
        """Send; returns when the broker has them."""
        for letter in letters:
            self._channel.basic_publish(letter.exchange, letter.key, letter.body, _Written(letter), letter.mandatory)

    def close(self) -> None:
        self._connection.close()


class _Written(pika.BasicProperties):  # type: ignore[misc] # pika ships no type hints
    """A letter's envelope, byte by byte."""

    def __init__(self, letter: Letter) -> None:
        super().__init__()
        self.letter = letter

    def encode(self) -> list[bytes]:
        """What pika puts on the wire."""
        letter, flags, written = self.letter, 0, b""
        for flag, value in (  # in this order
            (self.FLAG_CONTENT_TYPE, letter.content_type), (self.FLAG_CONTENT_ENCODING, letter.content_encoding),
            (self.FLAG_HEADERS, table(letter.headers) if letter.headers else None),
            (self.FLAG_DELIVERY_MODE, 2 if letter.persistent else 1), (self.FLAG_PRIORITY, letter.priority),
            (self.FLAG_CORRELATION_ID, letter.correlation_id), (self.FLAG_REPLY_TO, letter.reply_to),
            (self.FLAG_EXPIRATION, letter.expiration), (self.FLAG_MESSAGE_ID, letter.message_id),
            (self.FLAG_TIMESTAMP, letter.timestamp), (self.FLAG_TYPE, letter.type),
            (self.FLAG_APP_ID, letter.app_id), (self.FLAG_CLUSTER_ID, letter.cluster_id),
        ):
            if value is None:
                continue
            flags |= flag
            if flag == self.FLAG_HEADERS:
                written += value  # type: ignore[operator]
            elif isinstance(value, bytes):
                written += bytes([len(value)]) + value
            else:
                written += struct.pack(">Q" if flag == self.FLAG_TIMESTAMP else ">B", value)
        return [struct.pack(">H", flags), written]


def _seen(letter: Letter) -> Outgoing:
    """A letter as the embedded broker's port takes it."""
    properties = Properties(
        _text(letter.message_id), _text(letter.type), _text(letter.correlation_id), _text(letter.app_id),
        letter.timestamp, _text(letter.content_type), _text(letter.reply_to), _text(letter.expiration),
        letter.persistent, {(_text(name) or "")[:80]: each.seen() for name, each in letter.headers},
    )
    key = letter.key if isinstance(letter.key, str) else _text(letter.key) or ""
    return Outgoing(letter.exchange, key, letter.body, properties, letter.mandatory)


def _text(given: bytes | None) -> str | None:
    """As much of a text as still fits when what is not UTF-8 is replaced, which takes three bytes for one."""
    return None if given is None else given.decode(errors="replace").encode()[:255].decode(errors="ignore")

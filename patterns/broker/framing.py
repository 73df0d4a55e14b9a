"""Journal frames: one line each, with its length and checksum, so that a torn one is known for what it is.

A frame holds all records of one operation and counts whole or not at all.  It ends with the only newline in it, so a
torn frame can only be a last line without one; a finished line that does not add up is damage, not a crash.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zlib import crc32

from patterns.amqp import Properties
from patterns.broker.data import JournalEntry, Message
from patterns.errors import OrderflowError


def encode(records: Iterable[JournalEntry]) -> bytes:
    """The frame that holds these records."""
    payload = _encoder.encode([_plain(record) for record in records]).encode()
    return b"%08x %08x %s\n" % (len(payload), crc32(payload), payload)


def decode(journal: bytes) -> tuple[list[JournalEntry], int]:
    """All records, and how many bytes of the journal are whole; what follows is a torn frame, written in a crash.

    Raises OrderflowError when a frame that was finished does not add up.
    """
    records: list[JournalEntry] = []
    whole = 0
    for number, line in enumerate(journal.splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            break
        records += _records(line, number)
        whole += len(line)
    return records, whole


def _records(line: bytes, number: int) -> Iterator[JournalEntry]:
    payload = line[18:-1]
    if line[:18] != b"%08x %08x " % (len(payload), crc32(payload)):
        raise OrderflowError(
            f"The embedded broker's journal is damaged in line {number} (not by a crash: the line is finished). "
            "Move the folder away to start afresh, or cut the file before that line to keep what stands above"
        )
    for record in _decoder.decode(payload.decode()):
        yield _lively(record)


def _plain(record: JournalEntry) -> JournalEntry:
    if record[0] != "put":
        return record
    _, message, places = record
    given = {name: value for name in _NAMES if (value := getattr(message.properties, name)) is not None}
    try:
        body: str | bytes = message.body.decode()  # readable where it can be
    except UnicodeDecodeError:
        body = message.body
    return ("put", (message.exchange, message.routing_key, body, given), places)


def _lively(record: list[Any]) -> JournalEntry:
    if record[0] == "put":
        exchange, routing_key, body, given = record[1]
        properties = Properties(**{"content_type": None, **given})
        record[1] = Message(exchange, routing_key, body.encode() if isinstance(body, str) else body, properties)
    return tuple(record)


_NAMES = Properties.__slots__


def _special(value: Any) -> Any:
    """What AMQP headers can hold and JSON cannot."""
    match value:
        case bytes() | bytearray():
            return {"$bytes": base64.b64encode(value).decode()}
        case datetime():
            return {"$time": value.timestamp()}
        case Decimal():
            return {"$decimal": str(value)}
    return dict(value)  # a mapping of another kind, or a TypeError that names the culprit


def _unspecial(value: dict[str, Any]) -> Any:
    match value:
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case {"$time": int() | float() as seconds}:
            return datetime.fromtimestamp(seconds, UTC)
        case {"$decimal": str(text)}:
            return Decimal(text)
    return value


_encoder = json.JSONEncoder(separators=(",", ":"), default=_special)
_decoder = json.JSONDecoder(object_hook=_unspecial)

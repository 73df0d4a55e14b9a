from __future__ import annotations

import struct
from typing import Any

import pytest
from pika import data, spec

from patterns.connection_envelope import from_pika


def decoded(*fields: tuple[bytes, bytes]) -> Any:
    """A table of raw fields ("a", "b", ...), as pika reads it."""
    raw = b"".join(b"\x01" + bytes([ord("a") + at]) + kind + value for at, (kind, value) in enumerate(fields))
    return data.decode_table(struct.pack(">I", len(raw)) + raw, 0)[0]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (b"T", struct.pack(">Q", 2**63)),
        (b"T", struct.pack(">Q", 10**12)),
        (b"d", struct.pack(">d", float("nan"))),
        (b"d", struct.pack(">d", float("-inf"))),
        (b"f", struct.pack(">f", float("inf"))),
    ],
)
def test_a_value_python_does_not_have_is_the_bytes_it_came_as(kind: bytes, value: bytes) -> None:
    assert decoded((b"t", b"\x01"), (kind, value), (b"S", b"\0\0\0\x01x")) == {"a": True, "b": value, "c": "x"}
    inner = b"\x01i" + kind + value
    nested = struct.pack(">I", len(inner)) + inner
    assert decoded((b"F", nested), (b"t", b"\0")) == {"a": {"i": value}, "b": False}


def test_what_is_not_even_amqp_is_still_an_error() -> None:
    with pytest.raises(struct.error):
        decoded((b"T", b"\0"))


def test_headers_are_plain_python() -> None:
    headers = decoded((b"l", struct.pack(">q", 5)), (b"A", b"\0\0\0\x09l" + struct.pack(">q", 6)))
    properties = spec.BasicProperties(headers={**headers, b"\xff": 1}, timestamp=headers["a"], message_id=b"\xff")
    delivery = from_pika("q", "c", 1, spec.Basic.Deliver("c", 1, False, "", "q"), properties, b"")
    assert repr(delivery.properties.headers) == "{'a': 5, 'b': [6], '\N{REPLACEMENT CHARACTER}': 1}"
    assert repr(delivery.properties.timestamp) == "5"
    assert delivery.properties.message_id == "\N{REPLACEMENT CHARACTER}"

from __future__ import annotations

import struct
from typing import Any

import pytest
from pika import data, spec

from patterns.amqp import UNDECODABLE
from patterns.connection_envelope import DEEPEST, from_pika


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


def test_a_float_is_not_cut_to_an_integer() -> None:
    assert decoded((b"d", struct.pack(">d", 3.7)), (b"f", struct.pack(">f", 1.5))) == {"a": 3.7, "b": 1.5}


def table(*fields: bytes) -> bytes:
    raw = b"".join(b"\x01n" + field for field in fields)
    return struct.pack(">I", len(raw)) + raw


def test_what_is_nested_too_deep_for_python_is_bytes() -> None:
    for kind, wrap in ((b"F", table), (b"A", lambda field: struct.pack(">I", len(field)) + field)):
        nested = wrap(b"V")
        for _ in range(20_000):
            nested = wrap(kind + nested)
        found, depth = decoded((kind, nested), (b"t", b"\x01")), 0
        assert found["b"] is True
        value = found["a"]
        while not isinstance(value, bytes):
            value, depth = value["n"] if isinstance(value, dict) else value[0], depth + 1
        assert depth == DEEPEST


@pytest.mark.parametrize("field", [b"T\0", b"Q\0", b"F\0\0\0\x09\x01nT\0", b"A\0\0\0\x02Qx", b"S\xff", b""])
def test_headers_that_are_no_table_are_one_header_and_end_no_connection(field: bytes) -> None:
    raw = table(field)
    properties, end = data.decode_table(raw + b"rest", 0)
    assert properties == {UNDECODABLE: raw[4:]}
    assert (raw + b"rest")[end:] == b"rest"


def test_headers_are_plain_python() -> None:
    headers = decoded((b"l", struct.pack(">q", 5)), (b"A", b"\0\0\0\x09l" + struct.pack(">q", 6)))
    properties = spec.BasicProperties(headers={**headers, b"\xff": 1}, timestamp=headers["a"], message_id=b"\xff")
    delivery = from_pika("q", "c", 1, spec.Basic.Deliver("c", 1, False, "", "q"), properties, b"")
    assert repr(delivery.properties.headers) == "{'a': 5, 'b': [6], '\N{REPLACEMENT CHARACTER}': 1}"
    assert repr(delivery.properties.timestamp) == "5"
    assert delivery.properties.message_id == "\N{REPLACEMENT CHARACTER}"

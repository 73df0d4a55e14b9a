"""JSON from outside: what everybody reads alike is read, all else refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patterns.strict_json import loads

REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON"),
    "half an object": (b'{"a": 1', "not JSON"),
    "two values": (b"1 2", "not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "not JSON"),
    "not UTF-8": (b'{"a": "\xff"}', "not UTF-8"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    "half a surrogate pair in UTF-8": (b'"\xed\xa0\x80"', "not UTF-8"),
    "half a surrogate pair": (rb'{"a": ["\ud800"]}', "surrogate"),
    "half a surrogate pair, in capitals": (rb'"\uDFFF"', "surrogate"),
    "half a surrogate pair as a key": (rb'{"\ud800": 1}', "surrogate"),
    "a key twice": (b'{"a": 1, "b": 2, "a": 1}', "names 'a' twice"),
    "a key twice, further in": (b'{"a": [{"b": 1, "b": 2}]}', "names 'b' twice"),
    "a key twice, written differently": (rb'{"a": 1, "\u0061": 2}', "names 'a' twice"),
    "NaN": (b"NaN", "no number"),
    "Infinity": (b"[Infinity]", "no number"),
    "minus Infinity": (b"-Infinity", "no number"),
    "a float beyond all floats": (b"1e400", "too large"),
    "a number of 101 digits": (b"1" * 101, "101 digits"),
    "a number of 5,000 digits": (b"-" + b"9" * 5_000, "5000 digits"),
    "10,000 lists": (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
    "10,000 objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
    "10,000 lists that never end": (b"[" * 10_000, "nested too deeply"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_two_readers_may_understand_differently_is_refused(kind: str) -> None:
    body, reason = REFUSED[kind]
    with pytest.raises(ValueError, match=reason) as refused:
        loads(body)
    assert type(refused.value) is ValueError  # with our words, not a library's


@pytest.mark.parametrize(("written", "meant"), [
    ("935.0", 935), ("1e3", 1_000), ("-2.50E1", -25), ("0.0", 0), ("-0.0", 0), ("1e99", 10**99),
    ("9007199254740993.0", 9_007_199_254_740_993),  # a float would make it 9007199254740992
    ("4.361752069968273e+16", 43_617_520_699_682_730),
])
def test_a_whole_number_is_an_integer_however_it_is_written(written: str, meant: int) -> None:
    value = loads(written.encode())
    assert type(value) is int and value == meant


@pytest.mark.parametrize("written", [
    "1.5", "1e-3", "1e-99999999999999999999", "1.00000000000000000000000000000001", "1e101", "9007199254740993.5",
])
def test_any_other_number_is_a_float(written: str) -> None:
    assert type(loads(written.encode())) is float


def test_a_long_key_is_not_repeated_whole() -> None:
    with pytest.raises(ValueError, match="twice") as refused:
        loads(b'{"%s": 1, "%s": 2}' % (b"k" * 9_000, b"k" * 9_000))
    assert len(str(refused.value)) < 200


#: Above 2**53 the shortest way to write a float names another integer than the float is.
FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: not one.is_integer() or abs(one) <= 2**53)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**99), 10**99) | FLOATS
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # this machine may be busy
@given(JSON, st.booleans())
def test_plain_json_is_read_as_it_is_meant(value: Any, ascii_only: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        loads(body)
    except ValueError as error:
        assert type(error) is ValueError

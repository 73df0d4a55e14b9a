"""What a client prefers is understood as RFC 7240 says, and what nobody understands is ignored."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patterns.prefer import preferred_wait


@pytest.mark.parametrize(("lines", "seconds"), [
    (["wait=10"], 10), (["wait=0"], 0), (["WAIT = 5"], 5), (['wait="7"'], 7), (["respond-async, wait=10"], 10),
    (["wait=10; foo=bar"], 10), (["return=minimal", "wait=3"], 3), (["wait=1, wait=2"], 1),
    (["wait=999999999"], 999_999_999),
])
def test_the_seconds_are_found(lines: list[str], seconds: int) -> None:
    assert preferred_wait(lines) == seconds


@pytest.mark.parametrize("line", [
    "", ",", "wait", "wait=", "wait=-1", "wait=1.5", "wait=ten", "wait=٣", "wait=1e3", "await=3", "wait=9999999999",
    "x=wait",
])
def test_what_is_no_wait_is_ignored(line: str) -> None:
    assert preferred_wait([line]) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text()))
def test_nothing_a_client_writes_is_an_error(lines: list[str]) -> None:
    found = preferred_wait(lines)
    assert found is None or 0 <= found < 10**9

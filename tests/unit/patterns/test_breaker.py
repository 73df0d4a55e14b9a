"""The circuit breaker: when it opens, who may try, what closes it; from many threads, and never holding a call up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from patterns.breaker import Breaker
from patterns.errors import GatewayUnavailable, NotAsked
from patterns.runtime import Runtime, use_runtime
from patterns.settings import configure


class Clock(Runtime):
    """A runtime whose time passes when we say so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    use_runtime(clock)
    configure(breaker_failures=3, breaker_seconds=10)
    yield clock
    use_runtime(None)


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("payment", "gateway")


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(GatewayUnavailable), breaker.guarding():
            raise GatewayUnavailable("away")


def work(breaker: Breaker) -> None:
    with breaker.guarding():
        pass


def test_who_is_left_alone_is_not_called(breaker: Breaker) -> None:
    fail(breaker, 3)
    called: list[None] = []
    with pytest.raises(NotAsked), breaker.guarding():
        called.append(None)
    assert called == []


def test_a_change_is_told_with_its_reason_and_its_time(
    clock: Clock, breaker: Breaker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(clock, "now", lambda: 77.0)
    work(breaker)  # which is no change
    fail(breaker, 3)
    clock.time += 10
    work(breaker)
    assert breaker.since == 77.0
    assert [(record.message, record.action) for record in caplog.records] == [  # type: ignore[attr-defined]
        ("The breaker of gateway is open: away", "breaker_open"),
        ("The breaker of gateway is half-open.", "breaker_half_open"),
        ("The breaker of gateway is closed.", "breaker_closed"),
    ]


def test_it_opens_after_so_many_failures_in_a_row_and_says_why(breaker: Breaker) -> None:
    fail(breaker, 2)
    work(breaker)
    fail(breaker, 2)
    assert breaker.state == "closed", "not in a row"
    fail(breaker)
    assert breaker.state == "open"
    with pytest.raises(NotAsked, match=r"gateway is left alone for another 10\.0 s: away"):
        work(breaker)


def test_after_a_while_one_call_tries_and_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.time += 9.9
    with pytest.raises(NotAsked):
        work(breaker)
    clock.time += 0.1
    work(breaker)
    assert breaker.state == "closed"
    fail(breaker, 2)
    assert breaker.state == "closed", "counted from the beginning"


def test_a_try_that_fails_opens_it_for_as_long_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.time += 10
    fail(breaker)
    assert breaker.state == "open"
    clock.time += 9.9
    with pytest.raises(NotAsked):
        work(breaker)


def test_nobody_else_tries_while_one_does_unless_that_one_is_never_heard_of(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.time += 10
    breaker.admit()
    assert breaker.state == "half-open"
    with pytest.raises(NotAsked):
        breaker.admit()
    clock.time += 10
    breaker.admit()


def test_a_late_answer_closes_it_and_a_late_failure_changes_nothing(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.time += 5
    breaker.failed("a call from before it opened")
    assert breaker.state == "open"
    breaker.worked()
    assert breaker.state == "closed"


def test_what_is_not_the_servers_silence_is_not_its_failure(breaker: Breaker) -> None:
    for _ in range(10):
        with pytest.raises(ZeroDivisionError), breaker.guarding():
            raise ZeroDivisionError
    assert breaker.state == "closed"


def test_calls_are_made_side_by_side(breaker: Breaker) -> None:
    meeting = threading.Barrier(8, timeout=30)

    def call(_: int) -> None:
        with breaker.guarding():
            meeting.wait()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(8)))


def test_of_many_who_fail_at_once_each_counts(breaker: Breaker) -> None:
    configure(breaker_failures=400)
    breaker = Breaker("payment", "gateway")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fail(breaker, 49), range(8)))
    assert breaker.state == "closed"
    fail(breaker, 8)
    assert breaker.state == "open"

"""Whoever waits is woken by a commit, looks by himself now and then, and never waits longer than he was granted."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from patterns import waiting as module
from patterns.runtime import runtime
from patterns.settings import configure
from patterns.waiting import LOOK_SECONDS, Seat, Waiting
from tests.unit.patterns.simulated import in_simulated_time, let_pass

LONG = 3600.0
PATIENCE_SECONDS = 60


class Waiter:
    """Somebody who waits until the answer is there."""

    def __init__(self, waiting: Waiting, order_id: UUID, seconds: float) -> None:
        self.answer: str | None = None
        self.looks = 0
        self.got: list[Any] = []
        self._waiting, self._order_id, self._seconds = waiting, order_id, seconds
        self._thread = runtime().thread("waiter", self._wait)
        self._thread.start()
        let_pass(0)

    def _wait(self) -> None:
        with self._waiting.seat(self._seconds) as seat:
            assert seat is not None
            self.got.append(self._waiting.until(seat, self._order_id, self._look, lambda answer: answer is not None))

    def _look(self) -> str | None:
        self.looks += 1
        return self.answer

    def end(self) -> Any:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        return self.got


@pytest.fixture
def woken_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks by himself."""
    monkeypatch.setattr(module, "LOOK_SECONDS", LONG)


def waiting_for(seconds: float = LONG) -> Waiting:
    configure(prefer_wait_seconds=seconds)
    return Waiting()


@in_simulated_time
def test_news_wakes_those_who_wait_for_this_order_and_nobody_else(woken_only: None) -> None:
    waiting, mine, other = waiting_for(), uuid4(), uuid4()
    waiters = [Waiter(waiting, mine, LONG), Waiter(waiting, mine, LONG), Waiter(waiting, other, LONG)]
    for waiter in waiters:
        waiter.answer = "SUCCESS"
    waiting.news([uuid4(), mine])
    assert [waiter.end() for waiter in waiters[:2]] == [["SUCCESS"], ["SUCCESS"]]
    assert waiters[2].looks == 1
    waiting.news([other])
    assert waiters[2].end() == ["SUCCESS"]


@in_simulated_time
def test_news_that_is_not_enough_lets_him_wait_on(woken_only: None) -> None:
    waiting, order_id = waiting_for(), uuid4()
    waiter = Waiter(waiting, order_id, LONG)
    for _ in range(3):
        waiting.news([order_id])
        let_pass(0)
    assert waiter.looks == 4
    waiter.answer = "FAILED"
    waiting.news([order_id])
    assert waiter.end() == ["FAILED"]


@in_simulated_time
def test_what_was_committed_before_he_waits_is_seen_at_once(woken_only: None) -> None:
    waiting = waiting_for()
    waiting.news([uuid4()])
    with waiting.seat(LONG) as seat:
        assert seat is not None
        assert waiting.until(seat, uuid4(), lambda: "SUCCESS", lambda _: True) == "SUCCESS"


@in_simulated_time
def test_what_another_instance_commits_is_found_by_looking() -> None:
    waiter, began = Waiter(waiting_for(), uuid4(), LONG), runtime().monotonic()
    waiter.answer = "SUCCESS"  # and nobody tells
    assert waiter.end() == ["SUCCESS"] and runtime().monotonic() == began + LOOK_SECONDS


@pytest.mark.parametrize("seconds", [0, 0.05])
@in_simulated_time
def test_he_waits_no_longer_than_he_wished(woken_only: None, seconds: float) -> None:
    waiting, began = waiting_for(), runtime().monotonic()
    assert Waiter(waiting, uuid4(), seconds).end() == [None]
    assert runtime().monotonic() == began + seconds


@in_simulated_time
def test_nobody_waits_longer_than_is_granted(woken_only: None) -> None:
    waiting, began = waiting_for(1), runtime().monotonic()
    with waiting.seat(LONG) as seat:
        assert seat is not None and seat.seconds == 1
    assert Waiter(waiting, uuid4(), LONG).end() == [None]
    assert runtime().monotonic() == began + 1


@in_simulated_time
def test_the_time_counts_from_when_the_client_began_to_wait() -> None:
    waiting, now = waiting_for(), runtime().monotonic()
    with waiting.seat(5, since=now - 3) as early, waiting.seat(5) as late:
        assert (early, late) == (Seat(5, now + 2), Seat(5, now + 5))


@in_simulated_time
def test_there_are_so_many_seats_and_each_is_given_back(woken_only: None) -> None:
    configure(waiters_at_once=2)
    waiting = Waiting()

    def seats(taken: int) -> list[Seat | None]:
        if taken == 0:
            return []
        with waiting.seat(1) as seat:
            return [seat, *seats(taken - 1)]

    for _ in range(2):
        assert [seat is not None for seat in seats(4)] == [True, True, False, False]
    with waiting.seat(None) as unasked, waiting.seat(1) as first, waiting.seat(1) as second:
        assert unasked is None and first and second


@in_simulated_time
def test_a_look_that_fails_gives_everything_back(woken_only: None) -> None:
    configure(waiters_at_once=1)
    waiting = Waiting()

    def fails() -> None:
        raise OSError("the database is away")

    for _ in range(2):
        with pytest.raises(OSError, match="away"), waiting.seat(1) as seat:
            assert seat is not None
            waiting.until(seat, uuid4(), fails, bool)
    assert not waiting._bells


@in_simulated_time
def test_who_waits_when_the_service_stops_is_answered(woken_only: None) -> None:
    waiting = waiting_for()
    waiters = [Waiter(waiting, uuid4(), LONG) for _ in range(3)]
    began = runtime().monotonic()
    waiting.close()
    assert [waiter.end() for waiter in waiters] == [[None]] * 3 and runtime().monotonic() == began
    with waiting.seat(1) as seat:
        assert seat is None
    waiting.open()
    with waiting.seat(1) as seat:
        assert seat is not None


@in_simulated_time
def test_a_commit_right_after_the_look_is_not_missed(woken_only: None) -> None:
    waiting, order_id, committed = waiting_for(), uuid4(), runtime().event()

    def look() -> bool:
        seen = committed.is_set()
        committed.set()
        waiting.news([order_id])
        return seen

    began = runtime().monotonic()
    with waiting.seat(LONG) as seat:
        assert seat is not None
        assert waiting.until(seat, order_id, look, bool) and runtime().monotonic() == began

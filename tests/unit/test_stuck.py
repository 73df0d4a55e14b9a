"""A shop is stuck when orders are open, no message is left, and nothing changes."""

from __future__ import annotations

from lab.torture.stuck import Stuck

OPEN, FEWER = ["2 orders PROCESSING"], ["1 orders PROCESSING"]


def told(*lefts: list[str], seconds: float | None = 3.0) -> list[bool]:
    """What it says when it is asked once a second."""
    now = [0.0]
    stuck, said = Stuck(seconds, lambda: now[0]), []
    for left in lefts:
        said.append(stuck.still(left))
        now[0] += 1
    return said


def test_the_same_for_long_enough_is_stuck() -> None:
    assert told(OPEN, OPEN, OPEN, OPEN) == [False, False, False, True]
    assert told([], [], [], []) == [False, False, False, True]  # at rest, and what the audit sees stays as it is


def test_who_moves_is_not_stuck() -> None:
    assert told(OPEN, OPEN, OPEN, FEWER, FEWER, FEWER, FEWER) == [False] * 6 + [True]


def test_a_message_that_waits_may_still_help() -> None:
    assert True not in told(*[[*OPEN, "1 messages in payment.retry-25"]] * 6)
    assert True not in told(*[[*OPEN, "3 outbox rows of order"]] * 6)


def test_nobody_is_stuck_who_has_all_the_time_there_is() -> None:
    assert True not in told(*[OPEN] * 50, seconds=None)

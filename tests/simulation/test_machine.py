"""The machine keeps every promise, and planted bugs are noticed by it within a few stories."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.mutants.registry import MUTANTS
from tests.simulation.machine import ShopMachine
from tests.simulation.profiles import EXAMPLES, SECONDS, tried

STORIES = 250
"""A planted bug must be noticed by so many stories, always the same ones: half of what the profile ci tells."""

AT_ONCE = ("no-outbox", "no-step-guard", "goods-not-put-back")
IN_A_WHILE = ("relay-asleep", "ack-before-commit", "no-inbox", "no-tombstone", "answer-at-todays-price")
"""These take dozens of stories."""

PLANTED = [*AT_ONCE, *(pytest.param(name, marks=pytest.mark.whole) for name in IN_A_WHILE)]


@pytest.mark.timeout(SECONDS)
def test_whatever_is_done_in_whatever_order_every_promise_is_kept() -> None:
    run_state_machine_as_test(ShopMachine, settings=tried(max(EXAMPLES // 2, 1)))


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_noticed(name: str) -> None:
    fixed = settings(
        max_examples=STORIES, stateful_step_count=15, derandomize=True, database=None, deadline=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )
    with MUTANTS[name].applied(), pytest.raises(AssertionError):
        run_state_machine_as_test(ShopMachine, settings=fixed)

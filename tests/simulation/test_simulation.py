"""The shop in a simulated world, broken at random: every promise holds, and the checks have teeth."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.simulation.faults import KINDS
from lab.simulation.run import Result, simulate
from lab.simulation.workload import Chore, Wish, Workload
from order import crud as orders
from patterns import step
from patterns.relay import Relay
from patterns.settings import MODES
from tests.simulation.sins import ack_before_the_work

ROOT = Path(__file__).parents[2]
SEEDS = 3
ALL = dict.fromkeys(KINDS, 1.0)


def a_busy_day(mode: str) -> Workload:
    """Enough money and too little, enough goods and too few, a double request, a change of mind, staff at work."""
    return Workload(
        money=(10_000, 1_000), goods=((1_000, 5), (300, 1)),
        wishes=(
            Wish(mode=mode), Wish(mode=mode, user=2, items=((1, 1), (2, 1))),
            Wish(mode=mode, user=2, items=((2, 1),), asks=2), Wish(mode=mode, cancel_after=0.05),
        ),
        chores=(Chore("deposit", 2, 700, 1.0), Chore("restock", 2, 1, 2.0), Chore("price", 1, 900, 0.5)),
    )


def broken(mode: str, seed: int, rate: float = 30) -> Result:
    return simulate(a_busy_day(mode), seed, rate=rate, weights=ALL, instances=1 + seed % 2)


@pytest.mark.parametrize("mode", MODES)
def test_whatever_breaks_every_promise_is_kept(mode: str) -> None:
    results = [broken(mode, seed) for seed in range(SEEDS)]
    assert not [(result.seed, result.broken) for result in results if result.broken]
    assert sum(sum(result.happened.values()) for result in results) > 3 * SEEDS


def test_the_same_seed_is_the_same_run() -> None:
    one, again, other = broken("saga", 5), broken("saga", 5), broken("saga", 6)
    assert (one.fingerprint, one.plan, one.story) == (again.fingerprint, again.plan, again.story)
    assert one.fingerprint != other.fingerprint


def test_it_is_the_same_run_in_another_process() -> None:
    """Also where Python hashes texts another way: no order of a set decides anything."""
    asked = f"from {__name__} import broken; one = broken('rpc', 4); print(one.fingerprint, sorted(one.plan.items()))"
    told = {
        subprocess.run([sys.executable, "-c", asked], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT,
                       capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_a_runs_faults_make_a_plan_that_repeats_it() -> None:
    one = broken("topic", 3)
    assert one.plan
    again = simulate(a_busy_day("topic"), 3, plan=one.plan, instances=2)
    assert again.plan.keys() <= one.plan.keys()
    assert not again.broken


def caught(seeds: int = 30) -> str:
    """What the first broken promise was, over so many runs."""
    for seed in range(seeds):
        result = broken(MODES[seed % 6], seed)
        if result.broken:
            return result.broken[0]
    return ""


def no_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "undo", step.move)


def relay_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relay, "sweep", lambda _: None)


def success_whatever_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    real = orders.succeed

    def succeed(session: Any, order_id: Any, event: str, amount_cents: int) -> Any:
        changes = {"status": "PROCESSING", "settled_at": None, "undone_at": None}
        session.execute(orders.orders.update().where(orders.orders.c.id == order_id).values(changes))
        return real(session, order_id, event, amount_cents)

    monkeypatch.setattr(orders, "succeed", succeed)


@pytest.mark.parametrize("sin", [no_tombstone, ack_before_the_work, relay_asleep, success_whatever_was_before])
def test_a_missing_defence_is_noticed(sin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sin(monkeypatch)
    assert caught()

"""The simulation's tier: seeds that draw their own runs, counted, and a judge who is not easily content."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from lab.simulation import tier
from lab.simulation.broker import newer
from lab.simulation.counting import CROSSED
from lab.simulation.faults import AT, EVERYWHERE, KINDS, OFTENER
from lab.simulation.run import Result, simulate
from lab.simulation.swarm import Drawn, draw
from lab.simulation.workload import Wish, Workload
from lab.verify.tier import Asked, Tally
from patterns.amqp import Outgoing, Properties
from patterns.settings import MODES

QUICK = Asked("quick", faults=60)


def test_random_days_in_random_weather_break_no_promise_and_repeat() -> None:
    tallies = [tier.run_slice(part, lambda _: None) for part in tier.slices(QUICK)]
    assert [tally.violations for tally in tallies] == [[]] * len(MODES)
    assert all(tally.faults >= 10 and tally.seen["runs done twice"] for tally in tallies)


def test_a_seed_draws_the_same_run_each_time_and_each_mode_its_own() -> None:
    assert draw("saga", 7) == draw("saga", 7)
    drawn = [draw(mode, seed) for mode in MODES for seed in range(20)]
    assert len({repr(one) for one in drawn}) == 120
    assert {one.store for one in drawn} == {"serial", "read-committed"}


def test_slices_share_the_faults_and_no_seed() -> None:
    parts = list(tier.slices(Asked("commit", seed=3)))
    assert sum(part.faults or 0 for part in parts) >= tier.FAULTS["commit"]
    assert len({(part.modes, part.seed) for part in parts}) == len(parts)
    assert {mode for part in parts for mode in part.modes} == set(MODES)
    assert all((part.faults or 0) <= 2 * tier.SLICE_FAULTS for part in parts)


def test_a_broken_promise_is_told_with_the_command_that_breaks_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sad = Result(0, ["money is gone"], 0, 0, 0.0, Counter(), {})
    monkeypatch.setattr(Drawn, "run", lambda _: sad)
    tally = Tally()
    tier.add(tally, "saga", 11, twice=False)
    [violation] = tally.violations
    assert violation.what == "money is gone"
    assert violation.again == "orderflow simulate --drawn --mode saga --seed 11"


def test_a_run_that_does_not_repeat_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = iter(range(9))
    monkeypatch.setattr(Drawn, "run", lambda _: Result(0, [], 0, 0, 0.0, Counter(), {}, fingerprint=next(prints)))
    tally = Tally()
    tier.add(tally, "saga", 0, twice=True)
    assert [violation.what for violation in tally.violations] == ["the same seed was another run"]


def test_a_drawn_run_and_its_plan_are_the_same_run() -> None:
    drawn = draw("topic", 1)
    assert drawn.case().plan
    assert tier.print_of(drawn.case().run()) == tier.print_of(drawn.run())


def enough() -> Tally:
    """What a good run of commit size has seen."""
    happened = Counter({f"{kind} @ somewhere": tier.LEAST_OF_A_KIND for kind in KINDS})
    seen = Counter([*tier.SEEN, "runs done twice"]) + Counter({"orders SUCCESS": 30, "orders FAILED": 70})
    return Tally(runs=100, happened=happened, seen=seen + Counter(CROSSED))


def test_the_judge_is_content_with_enough() -> None:
    assert tier.judge(Asked("commit"), enough()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_fault_hardly_seen_fails_the_run(kind: str) -> None:
    tally = enough()
    tally.happened[f"{kind} @ somewhere"] -= 1
    assert any(kind in found for found in tier.judge(Asked("commit"), tally))


@pytest.mark.parametrize("what", [*tier.SEEN, *CROSSED, "orders SUCCESS", "runs done twice"])
def test_a_defence_hardly_met_fails_the_run(what: str) -> None:
    tally = enough()
    tally.seen[what] -= 30 if what == "orders SUCCESS" else 1
    assert tier.judge(Asked("commit"), tally)


def test_an_injector_switched_off_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.simulation.faults.Injector._kind", lambda *_: None)
    tally = Tally()
    tier.add(tally, "topic", 1, twice=False)
    assert len(tier.judge(Asked("commit"), tally)) > len(KINDS)


ONE_ORDER = Workload(wishes=(Wish(),))


def one_order(**given: Any) -> Result:
    return simulate(ONE_ORDER, 2, instances=2, **given)


@pytest.fixture(scope="module")
def calm() -> Result:
    return one_order()


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_a_fault_that_may_come_anywhere_changes_the_run(kind: str, calm: Result) -> None:
    """It happens, and something is different from the run without it: a fault that does nothing counts for nothing."""
    broken = one_order(plan={place: kind for place in range(70, 90, 5)})
    assert not broken.broken
    assert set(broken.plan.values()) == {kind}
    assert broken.fingerprint != calm.fingerprint


@pytest.mark.parametrize(("place", "kind"), [(place, kind) for place, kinds in AT.items() for kind in kinds])
def test_a_fault_of_a_call_changes_the_run(place: str, kind: str, calm: Result) -> None:
    often = 1000.0 if place == "gateway" else 500.0  # it is asked once
    result = one_order(rate=often / OFTENER.get(place, 1.0), weights={kind: 1.0})
    assert not result.broken
    assert set(result.happened) == {(place, kind)}
    assert result.fingerprint != calm.fingerprint or kind == "newer words"


def test_newer_words_are_words_with_a_field_more() -> None:
    said = Outgoing("", "there", b'{"order_id": 7}', Properties(headers={"mode": "topic"}))
    assert newer(said).body == b'{"order_id": 7, "added_later": [1]}'
    assert newer(replace(said, body=b"poison")).body == b"poison"

"""The tier ``processes``: what it would do, what it counts, and that it complains when it saw too little."""

from __future__ import annotations

import shlex
from collections import Counter

import pytest
from typer.testing import CliRunner

from lab import cli
from lab import torture as torturing
from lab.audit import Report
from lab.promises import Promise
from lab.torture.kinds import ALONE, kinds_of
from lab.torture.plan import Plan
from lab.torture.result import Result, Totals
from lab.torture.tally import LEAST_KILLS, judge, tally_of
from lab.torture.tier import TIER, plan_of, run
from lab.verify.tier import Asked, Tally
from patterns.errors import SettingsError
from patterns.settings import MODES


def done(plan: Plan, *, broken: str = "") -> Totals:
    """A torture that did all it was to do."""
    results = []
    for modes in plan.rounds:
        quiet = Report([Promise("Nothing is lost.", [broken] * bool(broken))], {}, {}, [])
        ended = {"SUCCESS": 30 * len(modes), "FAILED": 30 * len(modes)}
        by_mode = {mode: {"SUCCESS": 30, "FAILED": 30} for mode in modes}
        results.append(Result(
            "+".join(modes), 60 * len(modes), ended, by_mode, {}, {"order-1": plan.kills * plan.at_once}, [],
            dict(Counter(plan.faults)), {}, {"place ok": 60, "place unknown": 1}, 61, 1, 1, 1.0, 1.0, quiet, [],
        ))
    return Totals(results, [], Report([], {}, {}, []))


@pytest.mark.parametrize("seed", range(20))
def test_a_commit_does_every_kind_to_all_modes_at_once_and_ends_on_a_cluster(seed: int) -> None:
    plans = [plan_of(asked) for asked in TIER.slices(Asked(seed=seed))]
    *halves, cluster = plans
    assert all(plan.rounds == [MODES] for plan in plans)
    met = Counter(kind for plan in halves for kind in plan.faults)
    assert set(met) == set(ALONE), "each at least once"
    assert sum(plan.restarts for plan in halves) >= 2
    assert any(plan.lose_queues for plan in halves)
    assert (cluster.cluster, cluster.faults.count("node")) == (True, 3)
    assert sum(plan.kills * plan.at_once for plan in plans) >= LEAST_KILLS


@pytest.mark.parametrize("asked", [Asked(), Asked(modes=("saga",)), Asked(faults=250), Asked("nightly", seed=3)])
def test_slices_have_seeds_of_their_own_and_are_the_same_each_time(asked: Asked) -> None:
    slices = list(TIER.slices(asked))
    assert slices == list(TIER.slices(asked))
    assert len({(one.seed, one.modes) for one in slices}) == len(slices)
    assert [plan_of(one) for one in slices] == [plan_of(one) for one in slices]
    assert {mode for one in slices for mode in one.modes} == set(asked.modes)


def test_who_saw_nothing_says_so() -> None:
    complaints = judge(Asked(), Tally(runs=100))
    assert any("node killed" in complaint for complaint in complaints)
    assert any("kill -9: 0, at least 50" in complaint for complaint in complaints)
    assert any("SUCCESS in rpc: 0 of 0" in complaint for complaint in complaints)


def test_a_kind_counts_with_its_place_and_without() -> None:
    tally = Tally(happened=Counter({"die @ before-ack": 1, "cut @ rabbitmq": 1, "cut @ postgresql": 1}))
    complaints = " ".join(judge(Asked(), tally))
    assert "death before-ack" not in complaints and "connections cut" not in complaints
    assert "death before-commit: 0, at least 1" in complaints and "connections reset: 0, at least 2" in complaints


def test_a_slice_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.torture import tier

    monkeypatch.setattr(tier, "torture", lambda plan, _: done(plan))
    asked = next(iter(TIER.slices(Asked(seed=2))))
    tally = run(asked, lambda _: None)
    assert (tally.runs, tally.violations) == (60 * len(asked.modes), [])
    assert tally.happened["kill -9"] == plan_of(asked).kills * plan_of(asked).at_once
    assert [tally.seen[f"SUCCESS in {mode}"] for mode in asked.modes] == [30] * len(asked.modes)


def test_what_was_broken_carries_the_command_that_does_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list(TIER.slices(Asked(seed=2)))[-1]
    plan = plan_of(asked)
    violation = tally_of(plan, done(plan, broken="an order")).violations[0]
    assert "Nothing is lost. 1 times: an order" in violation.what

    asked_for: list[Plan] = []

    def note(again: Plan, _: object) -> Totals:
        asked_for.append(again)
        return done(again)

    monkeypatch.setattr(torturing, "torture", note)
    program, *arguments = shlex.split(violation.again)
    assert program == "orderflow"
    CliRunner().invoke(cli.app, arguments)
    [again] = asked_for
    for name in ("modes", "together", "seed", "kills", "at_once", "restarts", "cluster", "instances", "deadline_seconds",
                 "heartbeat_seconds", "orders", "faults"):
        assert getattr(again, name) == getattr(plan, name), name


def test_an_unknown_kind_is_answered_with_all_of_them() -> None:
    assert kinds_of("all") == ALONE
    with pytest.raises(SettingsError, match=r"earthquake is no kind of fault; there are .*swizzle"):
        kinds_of("pause,earthquake")

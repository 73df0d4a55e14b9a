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
from lab.torture.tally import judge, tally_of
from lab.torture.tier import TIER, plan_of, run
from lab.verify.tier import Asked, Tally
from patterns.errors import SettingsError
from patterns.settings import MODES


def done(plan: Plan, *, broken: str = "") -> Totals:
    """A torture that did all it was to do."""
    results = []
    for mode in plan.modes:
        faults = Counter(plan.faults_in(mode))
        quiet = Report([Promise("Nothing is lost.", [broken] * bool(broken))], {}, {}, [])
        results.append(Result(
            mode, plan.orders, {"SUCCESS": 30, "FAILED": 30}, {}, {"order-1": plan.kills * plan.at_once}, [],
            dict(faults), {}, {"place ok": 60, "place unknown": 1}, 61, 1, 1, 1.0, 1.0, quiet, [],
        ))
    return Totals(results, [], Report([], {}, {}, []))


def test_a_commit_deals_every_kind_out_to_all_modes_and_ends_on_a_cluster() -> None:
    plans = [plan_of(asked) for asked in TIER.slices(Asked(seed=7))]
    *pairs, cluster = plans
    assert sorted(mode for plan in pairs for mode in plan.modes) == sorted(MODES)
    met = Counter(kind for plan in pairs for mode in plan.modes for kind in plan.faults_in(mode))
    assert set(met) == set(ALONE), "each at least once"
    assert sum(plan.restarts * len(plan.modes) for plan in pairs) >= 2
    assert any(plan.lose_queues for plan in pairs)
    assert (cluster.cluster, cluster.faults_in(*cluster.modes).count("node")) == (True, 3)
    assert sum(plan.kills * plan.at_once * len(plan.modes) for plan in plans) >= 50


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
    assert any("processes killed: 0, at least 54" in complaint for complaint in complaints)
    assert any("order SUCCESS: 0 of 100" in complaint for complaint in complaints)


def test_a_slice_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.torture import tier

    monkeypatch.setattr(tier, "torture", lambda plan, _: done(plan))
    asked = next(iter(TIER.slices(Asked(seed=2))))
    tally = run(asked, lambda _: None)
    assert (tally.runs, tally.violations) == (60 * len(asked.modes), [])
    assert tally.happened["kill -9"] == 9 * len(asked.modes)
    assert tally.seen["order SUCCESS"] == 30 * len(asked.modes)


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
    mode = plan.modes[0]
    for name in ("seed", "kills", "at_once", "restarts", "cluster", "deadline_seconds", "heartbeat_seconds", "orders"):
        assert getattr(again, name) == getattr(plan, name), name
    assert again.faults_in(mode) == plan.faults_in(mode)


def test_an_unknown_kind_is_answered_with_all_of_them() -> None:
    assert kinds_of("all") == ALONE
    with pytest.raises(SettingsError, match=r"earthquake is no kind of fault; there are .*swizzle"):
        kinds_of("pause,earthquake")

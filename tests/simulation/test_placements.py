"""One order, one fault: a few placements, others in each run; ``orderflow verify --tier placements`` does them all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from lab.simulation.exhaustive import everything, one_order, places, representatives, singles
from lab.simulation.faults import AT, EVERYWHERE, Visit
from lab.simulation.placements import PARTS, cases, judge, run, slices
from lab.verify.tier import Asked
from patterns.settings import MODES
from tests.simulation.profiles import SIZE
from tests.simulation.sins import ack_before_the_work

RUNS = {"quick": 24, "ci": 600, "nightly": 6_000}[SIZE]


def test_one_fault_anywhere_breaks_no_promise() -> None:
    asked = Asked(faults=RUNS // len(MODES), seed=random.randrange(10_000))  # so many in each mode
    tally = run(asked, lambda _: None)
    assert not tally.violations
    assert tally.faults >= tally.runs >= RUNS
    assert not judge(asked, tally)


def test_every_place_and_every_kind_is_in_the_list() -> None:
    visits = places(one_order("saga"))
    found = Counter((visit.place, kind) for visit, kind in everything(visits))
    for place, count in Counter(visit.place for visit in visits).items():
        assert all(found[place, kind] == count for kind in (*EVERYWHERE, *AT.get(place, ())))
    assert {*AT, "take", "consume"} <= {visit.place for visit in visits}


def test_only_what_comes_to_the_same_is_left_out() -> None:
    """A transaction's last statement stands for the others, and each fault of the start is tried in one mode."""
    visits = places(one_order("topic"))
    once = [set(representatives(visits, turn, len(MODES))) for turn in range(len(MODES))]
    left_out = set(everything(visits)) - set().union(*once)
    assert {visit.place for visit, _ in left_out} == {"sql"}
    assert {kind for _, kind in left_out} == set(EVERYWHERE)
    begun = max(visit.number for visit in visits if visit.place == "consume")
    assert all(visit.number <= begun for visit, _ in set.union(*once) - set.intersection(*once))


def test_the_slices_together_are_everything_and_nothing_twice() -> None:
    asked = Asked(modes=("topic",))
    plans = [frozenset(case.plan.items()) for part in slices(asked) for case in cases(part)]
    assert len(plans) == len(set(plans))
    once = representatives(places(one_order("topic")), MODES.index("topic"), len(MODES))
    assert set(plans) == {frozenset({(visit.number, kind)}) for visit, kind in once}
    assert len(list(slices(asked))) == PARTS


def test_a_missing_defence_is_found_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acknowledged before the work, a crash before the commit loses the message; one after it does no harm."""
    ack_before_the_work(monkeypatch)
    case = one_order("topic")

    def crashes_of_product(visits: list[Visit]) -> Iterator[tuple[Visit, str]]:
        theirs = [visit for visit in visits if visit.process == "product1"]
        return ((visit, "crash") for visit in theirs if visit.place in ("commit", "committed"))

    broken = {min(one.plan): bool(one.run().broken) for one in singles(case, crashes_of_product)}
    at = {visit.number: visit.place for visit in places(case)}
    assert {at[number] for number, is_broken in broken.items() if is_broken} == {"commit"}

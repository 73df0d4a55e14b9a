"""One order, one fault: a few placements, others in each run; ``orderflow verify --tier placements`` does them all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from lab.simulation.case import Case
from lab.simulation.endings import ENDINGS, one_order
from lab.simulation.exhaustive import UNSEEN, comes_to_the_same, everything, places, representatives, singles
from lab.simulation.faults import AT, EVERYWHERE, Visit
from lab.simulation.placements import PARTS, TURNS, cases, judge, placements, run, share_of, slices
from lab.verify.tier import Asked
from patterns.settings import MODES
from tests.simulation.profiles import SECONDS, SIZE
from tests.simulation.sins import ack_before_the_work

RUNS = {"quick": 12, "ci": 600, "nightly": 6_000}[SIZE]


@pytest.mark.timeout(SECONDS)
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
    """A transaction's commit stands for its statements, and so on; each fault of the start is tried in one mode."""
    visits = places(one_order("topic"))
    once = [set(representatives(visits, turn, len(MODES))) for turn in range(len(MODES))]
    left_out = set(everything(visits)) - set().union(*once)
    assert {visit.place for visit, _ in left_out} == set(UNSEEN)
    assert {kind for _, kind in left_out} == set(EVERYWHERE)
    crashes = {visit.place for visit, kind in set().union(*once) if kind == "crash"}
    assert crashes >= {visit.place for visit in visits} - set(UNSEEN)
    begun = max(visit.number for visit in visits if visit.place == "consume")
    assert all(visit.number <= begun for visit, _ in set.union(*once) - set.intersection(*once))


def test_what_is_left_out_does_come_to_the_same() -> None:
    """As far as the fault itself draws nothing by chance: how long a crashed process is away differs from place to place."""
    case = one_order(random.choice(MODES))
    pairs = [pair for pair in pairwise(places(case)) if comes_to_the_same(*pair)]
    for kind in ("terminate", "connection lost", "channel closed", "consumer cancelled", "broker restart"):
        one, other = (replace(case, plan={visit.number: kind}).run() for visit in random.choice(pairs))
        assert (one.broken, one.outcomes, one.seen, one.looks) == (other.broken, other.outcomes, other.seen, other.looks), (
            one.plan, other.plan)
        assert one.happened.total() == other.happened.total() == 1


def plans(cases: Iterable[Case]) -> list[tuple[int, str]]:
    """Where the fault of each comes, and which."""
    return [item for case in cases for item in case.plan.items()]


def test_the_slices_together_are_every_placement_on_the_way_to_success_and_none_twice() -> None:
    parts = list(slices(Asked(modes=("topic",))))
    found = plans(case for part in parts for ending, case in cases(part) if ending == "success")
    once = representatives(places(one_order("topic")), MODES.index("topic"), len(MODES))
    assert sorted(found) == sorted((visit.number, kind) for visit, kind in once)
    assert len(parts) == PARTS


def test_so_many_seeds_together_are_every_placement_of_every_ending_and_none_twice() -> None:
    found = plans(
        case for seed in range(TURNS) for part in slices(Asked(modes=("saga",), seed=seed))
        for case in share_of(part, "saga", "no carrier")
    )
    assert sorted(found) == sorted(plans(placements("saga", "no carrier", once=True)))


def test_a_night_has_every_ending_whole() -> None:
    parts = slices(Asked(size="nightly", modes=("rpc",)))
    found = plans(case for part in parts for case in share_of(part, "rpc", "cancelled"))
    visits = places(one_order("rpc", "cancelled"))
    assert sorted(found) == sorted((visit.number, kind) for visit, kind in everything(visits))


REASONS = {
    "success": None, "sold out": "not enough on the shelf", "not enough money": "has not enough money",
    "payment declined": "the payment gateway declined", "no carrier": "the carrier takes no parcel",
    "cancelled": "cancelled by the customer", "cancelled first": "cancelled by the customer",
    "overdue": "not settled before its deadline",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_order_ends_as_its_day_says_in_every_mode(ending: str) -> None:
    for mode in MODES:
        result = one_order(mode, ending).run()
        [story] = result.stories()
        assert not result.broken
        assert story.order is not None
        assert story.order.status == ("SUCCESS" if ending == "success" else "FAILED")
        assert (REASONS[ending] or "None") in str(story.order.reason)


def test_what_comes_after_the_usual_trouble_can_break_too() -> None:
    """An order ends by its deadline long after the random faults of a run are over; its places are tried all the same."""
    late = one_order("topic", "overdue")
    last = max(visit.number for visit in places(late))
    before = places(one_order("topic", "cancelled"))
    assert last > len(before)
    assert replace(late, plan={last: "crash"}).run().happened.total() == 1


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

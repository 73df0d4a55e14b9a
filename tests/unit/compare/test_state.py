"""Final states are compared thing by thing, and held against what was foreseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.compare.plan import Plan
from lab.compare.state import ENDS_BY, FinalState, differences, fate_of, unforeseen
from lab.compare.workload import Fate, workload
from patterns.settings import configure

SAME = FinalState({"customer 1": "5 free"}, {"product 1": "2 on the shelf"}, {"order a": "SUCCESS for 7 cents"})


def test_equal_states_have_no_differences() -> None:
    assert differences({"rpc": SAME, "topic": SAME, "saga": SAME}) == []
    assert differences({"rpc": SAME}) == []


@pytest.mark.parametrize("part", ["customers", "products", "orders"])
def test_a_difference_names_what_differs_and_where(part: str) -> None:
    [name] = getattr(SAME, part)
    other = replace(SAME, **{part: {name: "something else"}})
    [found] = differences({"rpc": SAME, "topic": other, "saga": SAME})
    assert found == f"{name}: {getattr(SAME, part)[name]} (rpc, saga); something else (topic)"


def test_an_order_that_is_missing_in_one_mode_is_a_difference() -> None:
    assert differences({"rpc": SAME, "topic": replace(SAME, orders={})}) == [
        "order a: SUCCESS for 7 cents (rpc); not there (topic)"
    ]


@pytest.mark.parametrize("cancelling", [True, False])
def test_an_order_that_ends_otherwise_than_it_had_to_is_found(cancelling: bool) -> None:
    plan = Plan(orders=30)
    configure(**plan.settings)
    work = workload(plan)
    everything = (*work.warm_up, *work.wanted)
    ended = {f"order {one.key}": ENDS_BY[fate_of(one, cancelling)] for one in everything}
    assert unforeseen(work, FinalState(ended_by=ended), cancelling) == []
    cancelled = next(one for one in work.wanted if one.fate is Fate.CANCELLED)
    ended[f"order {cancelled.key}"] = "PaymentFailed"
    [found] = unforeseen(work, FinalState(ended_by=ended), cancelling)
    assert cancelled.key in found
    assert "PaymentFailed" in found
    del ended[f"order {cancelled.key}"]
    assert "never placed" in unforeseen(work, FinalState(ended_by=ended), cancelling)[0]

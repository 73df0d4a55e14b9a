"""The verdicts say what the figures say, whichever mode they belong to."""

from __future__ import annotations

import pytest

from lab.compare.figures import Spread
from lab.compare.verdict import verdicts
from tests.unit.compare.figures import made_up

FEW = {"messages": 3.0, "transactions": 5.0, "bytes": 900}
MANY = {"messages": 30.0, "transactions": 50.0, "bytes": 9000}
MIDDLE = {"messages": 10.0, "transactions": 20.0, "bytes": 4000}


@pytest.mark.parametrize(("few", "many"), [("rpc", "saga"), ("saga", "rpc"), ("topic", "saga")])
def test_the_verdict_follows_the_figures_not_the_name(few: str, many: str) -> None:
    [middle] = {"rpc", "saga", "topic"} - {few, many}
    said = verdicts(made_up(**{few: FEW, many: MANY, middle: MIDDLE}))
    for what, least, most in (("messages", "3.0", "30.0"), ("transactions", "5.0", "50.0"), ("bytes", "900", "9,000")):
        assert f"ewest {what} ({least} an order)" in said[few]
        assert f"ost {what} ({most} an order)" in said[many]
        assert f"ewest {what}" not in said[many] + said[middle]
        assert f"ost {what}" not in said[few] + said[middle]


def test_what_most_modes_share_is_no_distinction() -> None:
    said = verdicts(made_up(rpc=MANY, direct=FEW, topic=FEW))
    assert "most messages (30.0 an order)" in said["rpc"]
    assert "fewest" not in said["direct"] + said["topic"]


def test_what_two_share_names_the_other() -> None:
    said = verdicts(made_up(rpc=MANY, saga=MANY, direct=FEW, topic=FEW))
    assert "fewest messages (3.0 an order, beside topic)" in said["direct"]
    assert "most messages (30.0 an order, beside rpc)" in said["saga"]


def test_times_that_differ_by_noise_are_no_distinction() -> None:
    said = verdicts(made_up(rpc={"settled": Spread(50, 60, 70)}, topic={"settled": Spread(53, 64, 75)}))
    assert "settle (" not in said["rpc"] + said["topic"]
    said = verdicts(made_up(rpc={"settled": Spread(50, 60, 70)}, topic={"settled": Spread(90, 95, 99)}))
    assert "quickest to settle (50 ms)" in said["rpc"]
    assert "slowest to settle (90 ms)" in said["topic"]


def test_the_only_client_that_learns_the_ending_at_once_is_named() -> None:
    told = {"final_answers": 1.0, "polls": 0.0}
    said = verdicts(made_up(fanout=told, topic={"polls": 2.5}))
    assert "The only one whose client gets the ending in the answer (100% of orders" in said["fanout"]
    assert "told 202 and looks again 2.5 times" in said["topic"]
    said = verdicts(made_up(fanout=told, topic=told))
    assert "only one" not in said["fanout"] + said["topic"]


def test_an_outage_is_told_by_what_clients_saw_of_it() -> None:
    slow = {"outage_answered": Spread(3000, 5000, 5100), "outage_final": 1, "outage_recovery_seconds": 4.0}
    said = verdicts(made_up(direct=slow, topic={"outage_refused": 2}))
    assert "told the ending 1 of 2 times, answered after 3.0 s (at most 5.1 s); all settled 4.00 s after" in said["direct"]
    assert "its clients wait longest for an answer (3.0 s)" in said["direct"]
    assert "last to have settled all (4.00 s)" in said["direct"]
    assert "2 of 2 orders refused at first" in said["topic"]

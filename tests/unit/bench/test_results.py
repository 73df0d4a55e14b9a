"""What a benchmark says of its figures: medians, ratios, targets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lab.bench.measures import spread, steadiness
from lab.bench.plan import BenchTrouble
from lab.bench.result import BARE, OURS, Results
from lab.bench.tables import grids
from lab.bench.targets import standing
from tests.unit.bench.figures import made_up


def test_the_ratio_is_that_of_each_round_not_of_the_medians() -> None:
    ratio = made_up((50, 100), (10, 40), (90, 100)).ratio("topic", "drain", "orders_per_second")
    assert ratio is not None
    assert (ratio.median, ratio.least, ratio.most) == (0.5, 0.25, 0.9)


def test_what_was_not_measured_has_no_figures() -> None:
    results = made_up((50, 100))
    assert results.ratio("rpc", "drain", "orders_per_second") is None
    assert results.ratio("topic", "drain", "no such figure") is None
    results.rounds["topic"]["drain"][BARE][0].pop("messages")
    assert results.ratio("topic", "drain", "messages") is None  # one of them has it, the other has not
    assert results.median("topic", "closed 2", OURS, "orders_per_second") is None


def test_a_target_is_met_or_missed() -> None:
    rows = {row[0]: row for row in standing(made_up((59, 100))).rows}
    assert rows["drain, by bare"] == ("drain, by bare", "≥ 0.6", "topic 0.59 (missed)")
    assert rows["one order at a time, p50, by bare"][2] == "topic 1.00"
    assert rows["CPU ms of all services per order, drain"][2] == "topic 1.50"
    assert "rpc, 16 clients, by bare" not in rows  # it was not measured


def test_a_time_that_is_too_long_misses_its_target() -> None:
    results = made_up((100, 100))
    for one in results.rounds["topic"]["half load"][OURS]:
        one["p99_ms"] = 8.1 * one["p50_ms"]
    assert [row[2] for row in standing(results).rows if row[0] == "p99 by p50, at half load"] == ["topic 8.10 (missed)"]


def test_results_come_back_from_their_file_as_they_were() -> None:
    results = made_up((50, 100), (60, 100))
    again = Results.of(json.loads(json.dumps(results.as_dict())))
    assert again == replace(results, plan=again.plan)
    assert again.as_dict() == results.as_dict()


def test_every_table_shows_both() -> None:
    shown = grids(made_up((50, 100)))
    assert shown["Orders per second"].rows[0][:3] == ("topic", "drain", "50.0 / 100.0")
    assert {row[1] for row in shown["What an order costs, while a backlog is drained"].rows} == {OURS, BARE}
    assert shown["Peak memory of a process, MiB"].rows == [("order-1", "90", "30")]


def test_a_drain_that_becomes_slower_and_larger_is_seen_to() -> None:
    ends = [number / 100 for number in range(50)] + [0.5 + number / 50 for number in range(50)]
    figures = steadiness(ends, [(10, [45.0, 45.0]), (20, [50.0, 50.0]), (60, [50.0, 70.0]), (100, [50.0, 100.0])])
    assert figures["early_per_second"] > 1.9 * figures["late_per_second"]
    assert figures["slowest_part_per_second"] < figures["late_per_second"] * 1.1
    assert (figures["memory_early_mib"], figures["memory_late_mib"]) == (100.0, 150.0)
    assert figures["memory_grown_percent"] == 100  # of the second process; all together grew by half


def test_one_batch_has_no_rate() -> None:
    figures = steadiness([1.0] * 20, [(20, [90.0])])
    assert figures == {"memory_early_mib": 90.0, "memory_late_mib": 90.0, "memory_grown_percent": 0.0}


def test_percentiles_are_in_milliseconds_and_of_more_than_one_order() -> None:
    assert spread([0.001 * number for number in range(101)])["p95_ms"] == 95
    with pytest.raises(BenchTrouble):
        spread([1.0])

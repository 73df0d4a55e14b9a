"""Hypothesis chooses what customers do and what breaks where; what fails is made small, and told.

A failure is an AssertionError that says the command that replays it, what broke where, and the story of the orders
that came to harm; their sequence diagrams are in the file it names.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import find, given

from lab.simulation.case import Case
from lab.simulation.show import told
from tests.simulation.profiles import SECONDS, tried
from tests.simulation.sins import ack_before_the_work
from tests.simulation.strategies import cases


def keeps_every_promise(case: Case, folder: Path) -> None:
    result = case.run()
    if result.broken:
        (folder / "case.json").write_text(json.dumps(case.as_dict()), encoding="utf-8")
        raise AssertionError(f"{told(case, result, folder / 'told.md')}\nto keep it: {folder / 'case.json'}")


@pytest.mark.timeout(SECONDS)
def test_whatever_is_planned_every_promise_is_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("plans")
    tried()(given(cases)(lambda case: keeps_every_promise(case, folder)))()


@pytest.mark.timeout(SECONDS)
@pytest.mark.whole
def test_a_failure_shrinks_to_one_order_and_one_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    ack_before_the_work(monkeypatch)
    case = find(cases, lambda case: bool(case.run().broken), settings=tried(1_000))
    assert len(case.workload.wishes) == len(case.plan) == 1

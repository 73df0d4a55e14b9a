"""Plans that broke a promise once, each in a file of ``plans/``: tried first in every run, so that none does again.

``why`` says what was found with it, ``case`` is the run (:class:`lab.simulation.case.Case`).  The plan and not only the
seed is kept: it says what broke where; a place is only a number, so that a plan whose code has moved on may meet another.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.simulation.case import Case
from lab.simulation.show import told

PLANS = sorted((Path(__file__).parent / "plans").glob("*.json"))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.stem)
def test_a_plan_that_broke_a_promise_once_does_not_do_so_again(plan: Path, tmp_path: Path) -> None:
    written = json.loads(plan.read_text(encoding="utf-8"))
    assert written["why"]
    case = Case.of(written["case"])
    result = case.run()
    assert not result.broken, told(case, result, tmp_path / "told.md")

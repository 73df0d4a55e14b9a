"""A run as data: written down, read again, replayed by a command, told as a story."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.simulation.case import Case
from lab.simulation.show import told
from lab.simulation.workload import Chore, Wish, Workload
from patterns.errors import SettingsError

CASE = Case(
    Workload(wishes=(Wish(mode="rpc", cancel_after=0.5), Wish(mode="saga", user=2)), chores=(Chore("price", 1, 5, 0.5),)),
    7, {100: "crash", 150: "publish lost"}, 2, 0.5, "read-committed",
)


def test_a_case_is_the_same_when_it_is_read_again() -> None:
    assert Case.of(json.loads(json.dumps(CASE.as_dict()))) == CASE


@pytest.mark.parametrize("written", [
    {"plan": {"1": "locusts"}}, {"plan": {"x": "crash"}}, {"workload": {"wishes": [{"mode": "pigeon"}]}}, {"seed": "?"}, [],
    {"store": "shoe box"},
])
def test_what_is_no_case_is_refused_in_plain_words(written: object) -> None:
    with pytest.raises(SettingsError):
        Case.of(written)


def test_the_command_replays_the_case_and_tells_the_same_story(tmp_path: Path) -> None:
    words = shlex.split(CASE.command)
    assert words[:2] == ["orderflow", "simulate"]
    ran = CliRunner().invoke(app, [*words[1:], "--diagram", str(tmp_path / "told.md")])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout == told(CASE, CASE.run(), tmp_path / "again.md").replace("again.md", "told.md")
    assert (tmp_path / "told.md").read_text() == (tmp_path / "again.md").read_text()


def test_the_story_tells_what_broke_and_what_the_client_was_told(tmp_path: Path) -> None:
    result = CASE.run()
    report = told(CASE, result, tmp_path / "told.md")
    assert len(result.plan) == 2
    assert all(f"{kind} at place {number}" in report for number, kind in result.plan.items())
    assert report.count("the client is told: ") >= 2
    assert (tmp_path / "told.md").read_text().count("sequenceDiagram") == 2

"""How tiers are run, added up, gone on with and told."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lab.verify.diary import Diary
from lab.verify.figures import page
from lab.verify.run import Outcome, SliceTrouble, verify
from lab.verify.slice import tier_at
from lab.verify.table import as_dict, bound, clean, kinds, rows, show
from lab.verify.tier import Asked, Tally, Tell
from lab.verify.tiers import known
from patterns.errors import SettingsError

HERE = "tests.unit.verify.dice"


def run(where: str, diary: Diary, **asked: int) -> Outcome:
    [outcome] = verify({"dice": f"{HERE}:{where}"}, Asked(**asked), diary, lambda *_: None)  # type: ignore[arg-type]
    return outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "verify" / "diary.jsonl"


def test_slices_are_added_up_and_the_same_seed_is_the_same(path: Path) -> None:
    one, again, other = (run("TIER", Diary(path, resume=False), seed=seed) for seed in (1, 1, 5))
    assert one.tally.runs == 20 and one.tally.faults == 20 and one.tally.clean
    assert one.tally == again.tally != other.tally
    assert set(kinds(one)) == {"odd", "even"}


def test_what_was_broken_is_told_with_the_way_back(path: Path) -> None:
    outcome = run("TIER", Diary(path, resume=False), seed=12)
    assert [each.what for each in outcome.tally.violations] == ["thirteen"]
    assert not clean([outcome]) and "thirteen (`orderflow verify --seed 13`)" in page([outcome])
    assert as_dict([outcome])["dice"]["at_most_95_percent"] is None


def test_a_table_says_how_fast_it_was() -> None:
    outcome = Outcome("dice", "throws", Tally(runs=1, happened=Counter(odd=30), seen=Counter(steps=4_500)), seconds=1.5)
    assert as_dict([outcome])["dice"]["faults_per_second"] == 20
    assert rows([outcome])[0][-2:] == ["20", "3,000"]
    assert rows([Outcome("dice", "throws")])[0][-2:] == ["–", "–"]
    assert rows([replace(outcome, seconds=60)])[0][-2] == "0.5"


def test_a_terminal_of_80_columns_shows_the_whole_table() -> None:
    night = Tally(runs=41_949, happened=Counter(odd=2_008_327), seen=Counter(steps=29_834_494))
    console = Console(width=80, record=True, file=StringIO())
    show(console, [Outcome("simulation", "runs", night, 4_684), Outcome("broker", "operations", Tally(runs=112_210), 522)])
    told = console.export_text()
    assert "…" not in told and "112,210 operations" in told and "2,008,327" in told


def test_a_run_that_saw_too_little_is_not_clean(path: Path) -> None:
    outcome = run("TIER", Diary(path, resume=False), faults=1, seed=77)
    assert outcome.tally.hardly == (["odd: seen too seldom"] if outcome.tally.happened["odd @ table"] < 3 else [])
    assert not Outcome("dice", "throws", Tally(hardly=["x"])).tally.clean


def test_a_slice_that_could_not_be_done_is_done_once_more(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DICE_MARK", str(tmp_path / "died"))
    assert run("DYING", Diary(path, resume=False)).tally.runs == 20
    assert (tmp_path / "died").exists()


def test_one_that_never_can_be_done_says_why(path: Path) -> None:
    with pytest.raises(SliceTrouble, match="the dice fell off the table"):
        run("DEAD", Diary(path, resume=False))


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices need no process of their own where only their order matters."""

    def do(where: str, asked: Asked, tell: Tell) -> Tally:
        if where == f"{HERE}:DEAD":
            raise SliceTrouble("the dice fell off the table")
        return tier_at(where).run(asked, tell)

    monkeypatch.setattr("lab.verify.run._slice", do)


@pytest.mark.usefixtures("in_this_process")
def test_a_tier_that_waits_runs_beside_one_that_computes(path: Path) -> None:
    tiers = {"other": f"{HERE}:OTHER", "dice": f"{HERE}:TIER", "one": f"{HERE}:ONE"}
    outcomes = verify(tiers, Asked(seed=1), Diary(path, resume=False), lambda *_: None)
    assert [(each.tier, each.tally.runs) for each in outcomes] == [("other", 20), ("dice", 20), ("one", 20)]


@pytest.mark.usefixtures("in_this_process")
def test_when_one_cannot_be_done_the_other_begins_nothing_more(path: Path) -> None:
    tiers = {"dead": f"{HERE}:DEAD", "dice": f"{HERE}:TIER"}
    with pytest.raises(SliceTrouble, match="the dice fell off the table"):
        verify(tiers, Asked(), Diary(path, resume=False), lambda *_: None)


def test_an_interrupted_run_goes_on_with_what_was_not_done(path: Path) -> None:
    whole = run("TIER", Diary(path, resume=False), seed=1)
    lines = path.read_text().splitlines()
    assert len(lines) == 3  # the code, and two slices
    path.write_text("\n".join([*lines[:2], lines[2][:40]]))  # interrupted while it wrote the second
    begun = Diary(path, resume=True)
    rest = run("TIER", begun, seed=1)
    assert rest.tally == whole.tally
    assert len({json.loads(line)["asked"] for line in path.read_text().splitlines()[1:]}) == 2


def test_it_does_not_go_on_with_other_code(path: Path) -> None:
    Diary(path, resume=False)
    path.write_text(json.dumps({"code": "another"}) + "\n")
    with pytest.raises(SettingsError, match="Begin anew"):
        Diary(path, resume=True)


def test_the_rule_of_three() -> None:
    assert bound(3_000, 0) == "1.0e-03"
    assert bound(3_000, 1) == bound(0, 0) == "–"


def test_a_tier_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="chaos is no tier; there are simulation"):
        known(("chaos",))

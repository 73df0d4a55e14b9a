"""The report of a benchmark, and its part of the README."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lab.bench.files import HOME, NAME, name_the_pages, read, report_files
from lab.bench.report import short
from patterns.generated import renewed
from tests.unit.bench.figures import made_up

README = "# Shop\n\n<!-- generated: bench -->old<!-- end of generated: bench -->\n\nMore.\n"


def test_a_report_is_a_page_figures_and_pictures(tmp_path: Path) -> None:
    results = made_up((50, 100))
    written, missing = report_files(results, tmp_path / "new" / "folder")
    assert missing is None
    assert [path.name for path in written] == ["README.md", "bench.json", "throughput.svg", "times.svg", "costs.svg"]
    assert "| drain, by bare | ≥ 0.6 | topic 0.50 (missed) |" in written[0].read_text()
    assert read(tmp_path / "new" / "folder").as_dict() == results.as_dict()
    assert "topic, bare" in written[2].read_text()


def test_without_matplotlib_there_are_no_pictures_and_a_plain_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    (tmp_path / "times.svg").write_text("of another run")
    written, missing = report_files(made_up((50, 100)), tmp_path)
    assert [path.name for path in written] == ["README.md", "bench.json"]
    assert not (tmp_path / "times.svg").exists()
    assert missing is not None
    assert "pip install 'orderflow[lab]'" in missing


def test_the_report_names_the_pages_beside_it(tmp_path: Path) -> None:
    name_the_pages(tmp_path)
    assert not list(tmp_path.iterdir())  # without figures there is no report
    (tmp_path / "growth.md").touch()
    report_files(made_up((50, 100)), tmp_path)
    report = tmp_path / "README.md"
    assert "themselves: [growth](growth.md)." in report.read_text()
    (tmp_path / "backlog.md").touch()
    name_the_pages(tmp_path)
    assert "themselves: [backlog](backlog.md), [growth](growth.md)." in report.read_text()
    assert "![times](times.svg)" in report.read_text()


def test_a_picture_of_another_run_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "throughput.svg").write_text("of another run")
    results = made_up((50, 100))
    del results.rounds["topic"]["closed 64"]
    report_files(results, tmp_path)
    assert not (tmp_path / "throughput.svg").exists()
    assert "throughput" not in (tmp_path / "README.md").read_text()


def test_the_readme_shows_the_figures_where_it_has_a_place_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text(README)
    report_files(made_up((50, 100)), HOME)
    text = Path("README.md").read_text()
    assert "topic 0.50 (missed)" in text
    assert text.endswith("More.\n")
    assert renewed(text, {NAME: short(read(HOME))}, "README.md") == text


def test_a_readme_without_a_place_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text("# Without a place\n")
    report_files(made_up((50, 100)), HOME)
    assert Path("README.md").read_text() == "# Without a place\n"


def test_what_goes_elsewhere_does_not_go_to_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("README.md").write_text(README)
    report_files(made_up((50, 100)), Path("elsewhere"))
    assert Path("README.md").read_text() == README

"""The report, and its parts in the repository's pages."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lab.compare.files import report_files, write_pages
from lab.compare.plan import Plan
from patterns.errors import PageError
from tests.unit.compare.figures import made_up

README = "# Shop\n\n<!-- generated: compare -->old<!-- end of generated: compare -->\n\nMore.\n"
PAGE = (
    "<!-- generated: compare columns -->old<!-- end of generated: compare columns -->\n"
    "# Compared\n<!-- generated: compare report -->old<!-- end of generated: compare report -->\n"
    "<!-- generated: compare --real report -->old<!-- end of generated: compare --real report -->\n"
)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "compare.md").write_text(PAGE)
    (tmp_path / "README.md").write_text(README)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_report_is_a_page_figures_and_a_picture(tmp_path: Path) -> None:
    comparison = made_up(rpc={"messages": 12.34}, topic={})
    written, missing = report_files(comparison, tmp_path / "new" / "folder")
    assert missing is None
    page, figures, picture = written
    assert "| rpc | 12.3 |" in page.read_text()
    assert "](compare.svg)" in page.read_text()
    assert json.loads(figures.read_text())["calm"]["rpc"]["messages"] == 12.34
    svg = picture.read_text()
    assert "<svg" in svg
    for words in ("topic", "payment is away", "From request to settled", "What an order costs"):
        assert words in svg


def test_without_matplotlib_there_is_no_picture_and_a_plain_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    written, missing = report_files(made_up(rpc={}, topic={}), tmp_path)
    assert missing is not None
    assert "pip install 'orderflow[lab]'" in missing
    assert [path.name for path in written] == ["compare.md", "compare.json"]
    assert ".svg" not in written[0].read_text()
    assert "| rpc |" in written[0].read_text()


def test_the_same_figures_give_the_same_picture(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        report_files(made_up(rpc={}, topic={}), tmp_path / folder)
    assert (tmp_path / "one" / "compare.svg").read_bytes() == (tmp_path / "two" / "compare.svg").read_bytes()


def test_pages_are_filled_between_their_markers(repository: Path) -> None:
    written = write_pages(made_up(rpc={"messages": 12.34}, topic={}))
    assert set(written) == {Path("docs/compare.svg"), Path("docs/compare.md"), Path("README.md")}
    readme, page = (repository / "README.md").read_text(), (repository / "docs" / "compare.md").read_text()
    assert readme.startswith("# Shop\n\n<!-- generated: compare -->\n\n| mode | messages |")
    assert readme.endswith("<!-- end of generated: compare -->\n\nMore.\n")
    assert "| rpc | 12.3 |" in readme
    assert "### Verdict" in page
    assert "**copies**: heard by services" in page
    assert "](compare.svg)" in page
    assert "<!-- generated: compare --real report -->old<" in page


def test_a_real_comparison_has_its_own_place(repository: Path) -> None:
    written = write_pages(made_up(Plan(real=True), rpc={}, topic={}))
    assert set(written) == {Path("docs/compare-real.svg"), Path("docs/compare.md")}
    assert (repository / "README.md").read_text() == README
    assert "<!-- generated: compare report -->old<" in (repository / "docs" / "compare.md").read_text()


def test_elsewhere_than_in_the_repository_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PageError, match="for the repository's root"):
        write_pages(made_up(rpc={}))
    assert not list(tmp_path.iterdir())


def test_a_state_that_differs_is_said_on_every_page(tmp_path: Path) -> None:
    comparison = made_up(rpc={}, topic={})
    comparison.calm["topic"].ending.state.customers["customer 1"] = "a cent too much"
    comparison.outage["rpc"].ending.wrong.append("money is lost")
    written, _ = report_files(comparison, tmp_path)
    text = written[0].read_text()
    assert "- customer 1: not there (rpc); a cent too much (topic)" in text
    assert "- rpc, outage: money is lost" in text
    assert "did not end in the same state" in text
    assert json.loads(written[1].read_text())["equal"] is False

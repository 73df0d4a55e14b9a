"""The benchmark's page and the README's figures are those of the file that was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.bench.files import HOME, NAME, README, read, report_files, report_on
from lab.bench.report import short
from patterns.generated import fill, renewed
from tests.house.sources import ROOT
from tests.unit.bench.figures import made_up


def stale(root: Path) -> list[str]:
    """What shows other figures than those that were measured last."""
    folder, readme = root / HOME, (root / README).read_text(encoding="utf-8")
    if not (folder / "bench.json").exists():
        return [str(README)] if fill(readme, NAME, "", README.name) != readme else []
    results = read(folder)
    found = [str(README)] if renewed(readme, {NAME: short(results)}, README.name) != readme else []
    if (folder / "README.md").read_text(encoding="utf-8") != report_on(results, folder):
        found.append(str(HOME / "README.md"))
    return found


def test_the_figures_shown_are_those_that_were_measured() -> None:
    assert not (found := stale(ROOT)), f"{found}: refresh with: make bench"


def test_figures_changed_by_hand_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    README.write_text("<!-- generated: bench -->old<!-- end of generated: bench -->")
    assert stale(tmp_path) == ["README.md"]
    report_files(made_up((50, 100)), HOME)
    assert stale(tmp_path) == []
    for path in (README, HOME / "README.md"):
        path.write_text(path.read_text().replace("topic 0.50", "topic 0.90"))
    assert stale(tmp_path) == ["README.md", "docs/benchmarks/README.md"]

"""The files of a benchmark: figures, report and pictures in a folder, and the part of the README that shows them."""

from __future__ import annotations

import json
from pathlib import Path

from lab.bench.plot import PICTURES, draw
from lab.bench.report import page, short
from lab.bench.result import Results
from lab.compare.plot import NoPlot
from patterns.generated import renew

HOME, README, NAME = Path("docs/benchmarks"), Path("README.md"), "bench"
REPORT, FIGURES = "README.md", "bench.json"


def report_files(results: Results, folder: Path) -> tuple[list[Path], str | None]:
    """Write figures, report and pictures; answers the files, and why there are no pictures, if there are none.

    What goes to ``docs/benchmarks`` goes to the README as well, if it has a place for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures, report = folder / FIGURES, folder / REPORT
    for name in PICTURES:
        (folder / f"{name}.svg").unlink(missing_ok=True)  # it shows other figures
    try:
        pictures, missing = draw(results, folder), None
    except NoPlot as error:
        pictures, missing = [], str(error)
    figures.write_text(json.dumps(results.as_dict(), indent=1) + "\n", encoding="utf-8")
    report.write_text(report_on(results, folder), encoding="utf-8")
    return [report, figures, *pictures, *_readme(results, folder)], missing


def report_on(results: Results, folder: Path) -> str:
    """The report on these results, with what stands beside it in the folder."""
    pictures = [f"{name}.svg" for name in PICTURES if (folder / f"{name}.svg").exists()]
    pages = sorted(path.stem for path in folder.glob("*.md") if path.name != REPORT)
    return page(results, pictures, pages)


def name_the_pages(folder: Path) -> None:
    """Let the report name a page that came after it, if there is a report."""
    if (folder / FIGURES).exists():
        (folder / REPORT).write_text(report_on(read(folder), folder), encoding="utf-8")


def read(folder: Path) -> Results:
    """The results that were written there."""
    return Results.of(json.loads((folder / FIGURES).read_text(encoding="utf-8")))


def _readme(results: Results, folder: Path) -> list[Path]:
    """The README, if it has a place for figures and these are the ones to show."""
    shown = folder == HOME and README.exists() and renew(README, {NAME: short(results)}, if_wanted=True)
    return [README] if shown else []

"""The files of a benchmark: figures, report and pictures in a folder, and the part of the README that shows them."""

from __future__ import annotations

import json
from pathlib import Path

from lab.bench.plot import draw
from lab.bench.report import page, short
from lab.bench.result import Results
from lab.compare.plot import NoPlot
from patterns.generated import fill, wants

HOME, README, NAME = Path("docs/benchmarks"), Path("README.md"), "bench"


def report_files(results: Results, folder: Path) -> tuple[list[Path], str | None]:
    """Write figures, report and pictures; answers the files, and why there are no pictures, if there are none.

    What goes to ``docs/benchmarks`` goes to the README as well, if it has a place for it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures, report = folder / "bench.json", folder / "README.md"
    try:
        pictures, missing = draw(results, folder), None
    except NoPlot as error:
        pictures, missing = [], str(error)
    figures.write_text(json.dumps(results.as_dict(), indent=1) + "\n", encoding="utf-8")
    report.write_text(page(results, [picture.name for picture in pictures]), encoding="utf-8")
    return [report, figures, *pictures, *(_readme(results) if folder == HOME else ())], missing


def read(folder: Path) -> Results:
    """The results that were written there."""
    return Results.of(json.loads((folder / "bench.json").read_text(encoding="utf-8")))


def fresh_readme(text: str, results: Results) -> str:
    """The README with the figures of these results, where it has a place for them."""
    return fill(text, NAME, f"\n\n{short(results)}\n\n", README.name) if wants(text, NAME) else text


def _readme(results: Results) -> list[Path]:
    before = README.read_text(encoding="utf-8") if README.exists() else ""
    after = fresh_readme(before, results)
    if after == before:
        return []
    README.write_text(after, encoding="utf-8")
    return [README]

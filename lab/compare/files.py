"""The files of a comparison: its report in a folder, and its parts in the pages of this repository."""

from __future__ import annotations

import json
from pathlib import Path

from lab.compare.plot import NoPlot, draw
from lab.compare.report import MEANING, page, short
from lab.compare.result import Comparison
from patterns.errors import PageError
from patterns.generated import renew

PAGE, SHORT = Path("docs/compare.md"), Path("README.md")


def report_files(comparison: Comparison, folder: Path) -> tuple[list[Path], str | None]:
    """Write report, figures and picture into a folder; answers the files, and why there is no picture, if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, picture, report = (folder / f"compare.{kind}" for kind in ("json", "svg", "md"))
    figures.write_text(json.dumps(comparison.as_dict(), indent=2) + "\n", encoding="utf-8")
    missing = _drawn(comparison, picture)
    text = page(comparison, None if missing else picture.name)
    report.write_text(f"# The modes compared\n\n{text}\n\n### What the columns mean\n\n{MEANING}\n", encoding="utf-8")
    return [report, figures, *([] if missing else [picture])], missing


def write_pages(comparison: Comparison) -> list[Path]:
    """Write the comparison into the pages of this repository, where their markers are; answers those that were written.

    Embedded and real comparisons have places of their own.  Raises PageError outside the repository, or NoPlot.
    """
    kind = "compare --real" if comparison.plan.real else "compare"
    picture = PAGE.with_name(f"{kind.replace(' --', '-')}.svg")
    if not PAGE.exists():
        raise PageError(f"{PAGE} is not here: --write is for the repository's root.")
    draw(comparison, picture)
    renewed = {
        PAGE: renew(PAGE, {f"{kind} report": page(comparison, picture.name), "compare columns": MEANING}),
        SHORT: renew(SHORT, {kind: short(comparison)}, if_wanted=True),
    }
    return [picture, *(path for path, changed in renewed.items() if changed)]


def _drawn(comparison: Comparison, picture: Path) -> str | None:
    """Draw, or say why not."""
    try:
        draw(comparison, picture)
    except NoPlot as why:
        return str(why)
    return None

"""The questions that ``orderflow bench --only`` answers alone: asked, shown, and written beside the benchmark's report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from lab.bench import embedded, screen
from lab.bench.course import bench
from lab.bench.experiments import EXPERIMENTS
from lab.bench.files import name_the_pages
from lab.bench.plan import Plan
from lab.bench.result import Results
from lab.commands import console
from lab.commands.reporting import report
from lab.compare.tables import Grid

EMBEDDED = "embedded"
QUESTIONS = (*EXPERIMENTS, EMBEDDED)
_EMBEDDED_ORDERS = 2000


def ask(name: str, wanted: Mapping[str, Any], folder: Path, errors: Console, *, as_json: bool) -> None:
    """Answer one question; ``wanted`` are the figures of a plan that are not to be the usual ones."""
    with screen.progress(errors) as watch:
        if name == EMBEDDED:
            plan = Plan(**{"orders": _EMBEDDED_ORDERS, **wanted})
            title, results = "The embedded shop", embedded.measure(plan, watch)
            grid = Grid(("what", "wanted", "reached"), embedded.answers(results))
        else:
            experiment = EXPERIMENTS[name]
            plan = experiment.plan(wanted)
            results = bench(plan, watch, teams=experiment.teams(plan))
            title, grid = experiment.question, experiment.grid(results)
    written = _write(name, title, grid, results, folder)
    report(results, lambda: screen.print_grid(console, title, grid), written, None, errors, as_json=as_json)


def _write(name: str, title: str, grid: Grid, results: Results, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    figures, page = folder / f"{name}.json", folder / f"{name}.md"
    figures.write_text(json.dumps(results.as_dict(), indent=1) + "\n", encoding="utf-8")
    lines = "\n".join(f"- {line}" for line in results.circumstances)
    page.write_text(f"# {title}\n\n{lines}\n\n{grid.markdown()}\n", encoding="utf-8")
    name_the_pages(folder)
    return [page, figures]

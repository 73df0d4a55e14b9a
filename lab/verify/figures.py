"""The figures of a run, written into docs/reliability.md with the command that makes them."""

from __future__ import annotations

from pathlib import Path

from lab.machine import circumstances
from lab.verify.run import Outcome
from lab.verify.table import BOUND, HEADINGS, kinds, rows
from lab.verify.tier import Asked
from lab.verify.tiers import ROOT
from patterns.errors import PageError
from patterns.generated import fill

PAGE = ROOT / "docs" / "reliability.md"


def write_figures(outcomes: list[Outcome], asked: Asked) -> Path:
    """Write them between the page's markers.  Raises PageError outside the repository."""
    if not PAGE.exists():
        raise PageError(f"{PAGE} is not here: --write is for the repository.")
    text = fill(PAGE.read_text(encoding="utf-8"), f"verify {asked.size}", f"\n\n{page(outcomes)}\n\n", PAGE.name)
    PAGE.write_text(text, encoding="utf-8")
    return PAGE


def page(outcomes: list[Outcome]) -> str:
    """Where and how it was run, the table, the faults by kind, and what was broken."""
    table = [[*HEADINGS], ["---"] + ["---:"] * (len(HEADINGS) - 1), *rows(outcomes)]
    parts = [f"- {line}" for line in circumstances("servers of their own for every tier that needs them")]
    parts += ["", *("| " + " | ".join(row) + " |" for row in table), "", BOUND]
    for one in outcomes:
        counted = ", ".join(f"{name} {times:,}" for name, times in kinds(one).most_common())
        parts += ["", f"**{one.tier}**, faults: {counted or 'none'}."]
    for one in outcomes:
        parts += [f"- broken in {one.tier}: {_short(each.what)} (`{each.again}`)" for each in one.tally.violations]
    return "\n".join(parts)


def _short(what: str) -> str:
    """What was broken; of a story of many lines the last ones, where it comes out."""
    lines = [line.strip() for line in what.splitlines()]
    return "; ".join(line if len(line) < 200 else f"{line[:200]} …" for line in lines[-2:])

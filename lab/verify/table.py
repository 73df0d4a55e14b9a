"""What was seen, as tables: for people, for documents, for programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lab.verify.run import Outcome

HEADINGS = ("tier", "runs", "faults", "violations", "at most, 95 %", "time", "faults/s", "steps/s")

BOUND = (
    "At most, 95 %: none seen in N runs means fewer than 3 in N, of runs that are drawn as these were "
    "(the rule of three; Hanley and Lippman-Hand, JAMA 249, 1983). It says nothing of runs of another kind."
)


def bound(runs: int, violations: int) -> str:
    """The share of runs that may still break a promise, by the rule of three; where some did, there is no such bound."""
    if violations or not runs:
        return "–"
    return f"{3 / runs:.1e}"


def pace(outcome: Outcome, times: int) -> float | None:
    """How many of these a second, by the clock; None where none were counted."""
    return times / outcome.seconds if times and outcome.seconds else None


def _shown(each: float | None) -> str:
    return "–" if each is None else f"{each:,.1f}" if each < 10 else f"{each:,.0f}"


def kinds(outcome: Outcome) -> Counter[str]:
    """How often each kind of fault came, wherever."""
    found: Counter[str] = Counter()
    for name, times in outcome.tally.happened.items():
        found[name.partition(" @ ")[0]] += times
    return found


def rows(outcomes: list[Outcome]) -> list[list[str]]:
    """One row a tier."""
    return [
        [one.tier, f"{one.tally.runs:,} {one.unit}", f"{one.tally.faults:,}", str(len(one.tally.violations)),
         bound(one.tally.runs, len(one.tally.violations)), f"{one.seconds:.0f} s",
         _shown(pace(one, one.tally.faults)), _shown(pace(one, one.tally.seen["steps"]))]
        for one in outcomes
    ]


def show(console: Console, outcomes: list[Outcome]) -> None:
    """The table, the faults by kind, and whatever was broken or hardly seen."""
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    for heading in HEADINGS:
        narrow = heading.replace(", ", ",\n").replace("/s", "\n/s")  # a terminal of 80 columns shows all of it
        table.add_column(narrow, justify="left" if heading == "tier" else "right", no_wrap=True)
    for row in rows(outcomes):
        table.add_row(*row)
    console.print(table)
    for one in outcomes:
        for what, counted in (("faults", kinds(one)), ("seen", one.tally.seen)):
            if counted:
                told = ", ".join(f"{name} {times:,}" for name, times in counted.most_common())
                console.print(f"[bold]{one.tier}[/], {what}: {told}", highlight=False)
    console.print(BOUND, style="dim", highlight=False)
    for one in outcomes:
        for violation in one.tally.violations:
            console.print(f"[red]{one.tier} broken:[/] {violation.what}\n  again: {violation.again}", highlight=False)
        for what in one.tally.hardly:
            console.print(f"[red]{one.tier} hardly saw:[/] {what}", highlight=False)
    if clean(outcomes):
        console.print("[green]No promise was broken in what was run.[/]")


def clean(outcomes: list[Outcome]) -> bool:
    """Whether nothing was broken, and enough was seen to say so."""
    return all(one.tally.clean for one in outcomes)


def as_dict(outcomes: list[Outcome]) -> dict[str, Any]:
    """For programs."""
    return {
        one.tier: {
            "runs": one.tally.runs, "unit": one.unit, "faults": one.tally.faults, "by_kind": dict(kinds(one)),
            "by_kind_and_place": dict(one.tally.happened), "seen": dict(one.tally.seen),
            "violations": [{"what": each.what, "again": each.again} for each in one.tally.violations],
            "hardly_seen": one.tally.hardly, "seconds": round(one.seconds, 1),
            "faults_per_second": pace(one, one.tally.faults), "steps_per_second": pace(one, one.tally.seen["steps"]),
            "at_most_95_percent": None if one.tally.violations or not one.tally.runs else 3 / one.tally.runs,
        }
        for one in outcomes
    }

"""What a person sees of a run that broke a promise: the way back to it, what was broken on purpose, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from rich.console import Console

from lab.order_story.diagram import as_mermaid
from lab.order_story.story import Story
from lab.order_story.table import as_table
from lab.simulation.case import Case
from lab.simulation.run import Result

WIDTH = 150


def told(case: Case, result: Result, diagram: Path | None = None) -> str:
    """The whole report as text; the sequence diagrams go to ``diagram``, a Markdown file."""
    console = Console(file=StringIO(), width=WIDTH, color_system=None)
    broken = [f"BROKEN: {one}" for one in result.broken] or ["Every promise was kept."]
    for line in (*broken, f"again:  {case.command}", f"broke:  {happened(result)}"):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    stories = result.stories()
    for story in stories:
        console.print()
        console.print(as_table(story))
    if diagram is not None and stories:
        diagram.write_text(_page(case, result, stories), encoding="utf-8")
        console.print(f"\nsequence diagrams: {diagram}", markup=False, highlight=False, soft_wrap=True)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def happened(result: Result) -> str:
    """What broke, and where."""
    return ", ".join(f"{kind} at place {number}" for number, kind in sorted(result.plan.items())) or "nothing"


def _page(case: Case, result: Result, stories: Sequence[Story]) -> str:
    """Markdown, which GitHub and many editors draw."""
    title = "A broken promise" if result.broken else "Every promise kept"
    parts = [f"# {title}", "", *(f"- {broken}" for broken in result.broken), "", f"    {case.command}", ""]
    for story in stories:
        parts += [f"## Order {story.order_id}", "", f"```mermaid\n{as_mermaid(story)}```", ""]
    return "\n".join(parts)

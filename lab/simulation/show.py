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
    broken = [f"BROKEN: {one}" for one in result.broken] or ["Every promise was kept."]
    stories = result.stories()
    lines = [*broken, f"again:  {case.command}", f"broke:  {happened(result)}", "", tables(stories)]
    if diagram is not None and stories:
        diagram.write_text(_page(case, result, stories), encoding="utf-8")
        lines += [f"sequence diagrams: {diagram}", ""]
    return "\n".join(lines)


def tables(stories: Sequence[Story]) -> str:
    """What became of each order, a line for each thing that happened."""
    text = StringIO()
    console = Console(file=text, width=WIDTH, color_system=None)
    for story in stories:
        console.print(as_table(story))
        console.print()
    return text.getvalue()


def happened(result: Result) -> str:
    """What broke, and where."""
    return ", ".join(f"{kind} at place {number}" for number, kind in sorted(result.plan.items())) or "nothing"


def _page(case: Case, result: Result, stories: Sequence[Story]) -> str:
    """Markdown, which GitHub and many editors draw."""
    title = "A broken promise" if result.broken else "Every promise kept"
    parts = [f"# {title}", "", *(f"- {broken}" for broken in result.broken), "", f"    {case.command}", ""]
    moral = f"BROKEN: {result.broken[0]}" if result.broken else ""
    for story in stories:
        parts += [f"## Order {story.order_id}", "", f"```mermaid\n{as_mermaid(story, moral)}```", ""]
    return "\n".join(parts)

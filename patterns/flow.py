"""A mode from order to ending, drawn from its wirings: on the screen (``orderflow flow``) and in ``docs/flows``.

A page is written by hand but for what stands between its markers, which :func:`refresh` writes anew; a test fails when
a page no longer says what the wirings say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from patterns.flow_diagram import mermaid
from patterns.flow_walk import REFUSALS, cancelled, cost, forward, from_clients, refused
from patterns.generated import fill
from patterns.hops import Hop, ModeWirings, choices, hops

__all__ = ["REFRESH", "Row", "mermaid", "page", "refresh", "stale", "table"]

REFRESH = "orderflow flow --write"

HEADINGS = ("who says", "what", "where", "who hears", "and does", "and says")


@dataclass(frozen=True, slots=True)
class Row:
    """One message from its speaker to one of its hearers, and what may come of it."""

    part: str
    speaker: str
    message: str
    address: str
    listener: str
    handler: str
    answers: str

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """What the row shows, in the order of :data:`HEADINGS`."""
        return self.speaker, self.message, self.address, self.listener, self.handler, self.answers

    def as_dict(self) -> dict[str, Any]:
        """The row by the names of its fields."""
        return asdict(self)


def table(wirings: ModeWirings) -> list[Row]:
    """The whole flow of a mode, as it happens: the success path first, then refusals, then the way back."""
    every = hops(wirings)
    parts = [("A client asks", from_clients(every)), ("The way forward", forward(every))]
    parts += [("A step is refused", refused(every, refusal)) for refusal in REFUSALS]
    parts += [("The order is cancelled", cancelled(every)), ("Elsewhere", list(every))]
    shown: dict[Hop, str] = {}
    for part, path in parts:
        for hop in path:
            shown.setdefault(hop, part)
    return [_row(part, hop) for hop, part in shown.items()]


def _row(part: str, hop: Hop) -> Row:
    said = [" and ".join(message.__name__ for message in option) for option in choices(hop.handler, hop.message)]
    return Row(
        part, hop.speaker, hop.message.__name__, str(hop.address), hop.listener, hop.handler.__name__,
        " or ".join(said) or "–",
    )


def page(mode: str, wirings: ModeWirings, prose: str) -> str:
    """A mode's page: the words written by hand, and between its markers the flow as the wirings have it."""
    return fill(prose, "flow", f"\n\n{_drawn(wirings)}\n\n", f"{mode}.md")


def _drawn(wirings: ModeWirings) -> str:
    rows = table(wirings)
    blocks = []
    for part in dict.fromkeys(row.part for row in rows):
        lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
        lines += ["| " + " | ".join(_cell(text) for text in row.cells()) + " |" for row in rows if row.part == part]
        blocks.append(f"### {part}\n\n" + "\n".join(lines))
    success, undo = mermaid(wirings), mermaid(wirings, undo=True)
    blocks.append(f"### A successful order\n\n```mermaid\n{success}\n```")
    blocks.append(f"### An order whose parcel nobody takes\n\n```mermaid\n{undo}\n```")
    return "\n\n".join(blocks)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def refresh(folder: Path, by_mode: Mapping[str, ModeWirings]) -> list[Path]:
    """Write the pages in this folder anew; answers those that changed."""
    changed = []
    for path, text in _pages(folder, by_mode):
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def stale(folder: Path, by_mode: Mapping[str, ModeWirings]) -> list[Path]:
    """The pages in this folder that no longer say what the wirings say."""
    return [path for path, text in _pages(folder, by_mode) if path.read_text(encoding="utf-8") != text]


def _pages(folder: Path, by_mode: Mapping[str, ModeWirings]) -> Iterator[tuple[Path, str]]:
    """Every page of the folder, as it should be: one for each mode, and README.md, which compares them."""
    overview = folder / "README.md"
    comparison = overview.read_text(encoding="utf-8")
    for mode, wirings in by_mode.items():
        path = folder / f"{mode}.md"
        yield path, page(mode, wirings, path.read_text(encoding="utf-8"))
        spent = cost(wirings)
        comparison = fill(comparison, mode, f"{spent.said} / {spent.copies} / {spent.ignored}", overview.name)
    yield overview, comparison

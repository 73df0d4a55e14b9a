"""What came of each cut: lines.json, and the table that docs/lines.md shows of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from tests.mutants.lines_watch import ROOT
from tests.mutants.spared import SPARED

KEPT = Path(__file__).with_name("lines.json")
DOCUMENT = ROOT / "docs" / "lines.md"
BEGIN, END = "<!-- generated: lines -->", "<!-- end of generated: lines -->"

Tried = dict[str, str]
"""By the cut's name: the test that noticed; OPEN, or empty for a cut that nobody noticed."""

OPEN = "?"
"""The tests that watch the file do not notice; the others were not asked yet (``--wider``)."""


def kept(where: Path = KEPT) -> Tried:
    """What was tried so far."""
    found: Tried = json.loads(where.read_text(encoding="utf-8")) if where.exists() else {}
    return found


def keep(tried: Tried, where: Path = KEPT) -> None:
    """Write down what was tried."""
    where.write_text(json.dumps(dict(sorted(tried.items())), indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def survivors(tried: Tried) -> list[str]:
    """Cuts that nobody noticed, and of which nobody says why."""
    return sorted(name for name, by in tried.items() if by in ("", OPEN) and name not in SPARED)


def table(tried: Tried) -> str:
    """For each file how many cuts were tried and noticed; then what was not noticed, and why that is so."""
    files = {name: name.split(" ")[0] for name in tried}
    counts = {file: Counter[str]() for file in files.values()}
    for name, by in tried.items():
        counts[files[name]][kind_of(name, by)] += 1
    counts["all"] = sum(counts.values(), Counter[str]())
    lines = ["| file | cuts tried | noticed | not, for a reason | open |", "|---|---:|---:|---:|---:|"]
    for file, one in counts.items():
        lines.append(f"| {file} | {one.total()} | {one['noticed']} | {one['spared']} | {one['open']} |")
    lines += ["", "| cut out, and not missed without a server | because |", "|---|---|"]
    lines += [f"| `{name.replace('|', '¦')}` | {SPARED[name]} |" for name in tried if name in SPARED]
    return "\n".join(lines)


def kind_of(name: str, by: str) -> str:
    """Noticed, spared for a reason, or open."""
    return "spared" if name in SPARED else "noticed" if by not in ("", OPEN) else "open"


def written(document: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = document.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table(kept())}\n\n{END}{rest.partition(END)[2]}"


def write_table() -> None:
    """Write it."""
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")

"""``orderflow endpoints``: what one can ask the services over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lab.commands import console


def endpoints(
    write: Annotated[bool, typer.Option(help="write the table in README.md anew")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Show every endpoint of every service."""
    from lab import endpoints as reading

    if write:
        page = Path("README.md")
        page.write_text(reading.fresh(page), encoding="utf-8")
        return
    found = reading.endpoints()
    if as_json:
        print(json.dumps([one.as_dict() for one in found], indent=2))
        return
    shown = Table("service", "request", "what it does", "answers", box=None, pad_edge=False)
    for one in found:
        shown.add_row(one.service, f"{one.method} {one.path}", one.what, " ".join(map(str, one.answers)))
    console.print(shown, highlight=False)

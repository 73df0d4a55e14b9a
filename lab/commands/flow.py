"""``orderflow flow``: one mode on one screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lab import shop
from lab.commands import console
from lab.wide import print_wide
from patterns.errors import SettingsError
from patterns.settings import MODES, settings


def flow(
    mode: Annotated[str, typer.Argument(help="rpc, default, fanout, direct, topic or saga")] = "",
    write: Annotated[bool, typer.Option(help="write the pages in docs/flows anew")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Show the whole flow of a mode on one screen."""
    from patterns import flow as flows

    if write:
        flows.refresh(Path("docs/flows"), {name: shop.wirings_in(name) for name in MODES})
        return
    mode = mode or settings().messaging_mode
    if mode not in MODES:
        raise SettingsError(f"{mode} is no mode; there are {', '.join(MODES)}")
    rows = flows.table(shop.wirings_in(mode))
    if as_json:
        print(json.dumps([row.as_dict() for row in rows], indent=2))
        return
    table = Table(title=f"Mode {mode}: from order to ending", title_justify="left", box=None, pad_edge=False)
    for heading in ("who says", "what", "where", "who hears", "and does", "and says"):
        table.add_column(heading, no_wrap=True)
    before: tuple[str, ...] = ()
    for row in rows:
        said, cells = tuple(row.cells())[:3], row.cells()
        table.add_row(*(("", "", "") if said == before else said), *cells[3:])
        before = said
    print_wide(console, table)

"""``orderflow migrate``: are the tables those that the code wants?  If not, make them so."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from lab import migrate as migrating
from lab.commands import console
from patterns.errors import SettingsError
from patterns.shop import SERVICES


def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="some services; all six unless given")] = None,
    check: Annotated[bool, typer.Option("--check", help="change nothing; exit status 1 unless all is current")] = False,
    wait: Annotated[float, typer.Option(help="wait at most so many seconds for a database that is away")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Make each service's tables, or bring them to where its code wants them: before a new version's services start."""
    for service in services or ():
        if service not in SERVICES:
            raise SettingsError(f"{service} is no service; there are {', '.join(SERVICES)}")
    found = (migrating.look if check else migrating.migrate)(services or SERVICES, wait)
    if as_json:
        print(json.dumps([one.as_dict() for one in found], indent=2))
    else:
        show(found)
    raise typer.Exit(0 if all(one.well for one in found) else 1)


def show(found: list[migrating.Migrated]) -> None:
    """The migrations for people."""
    table = Table("service", "was at", "is at", "code wants", "", box=None, pad_edge=False)
    for one in found:
        said = one.state if one.now == one.current else {"empty": "made"}.get(one.state, "migrated")
        table.add_row(one.service, one.current or "-", one.now or "-", one.head, said)
    console.print(table)

"""``orderflow doctor``: is the ground the shop stands on as it must be?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lab.commands import console


def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="declare what is missing, and what differs anew where no message is lost")
    ] = False,
    service: Annotated[str, typer.Option(help="one service's part only")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Examine broker and databases against the wiring; exit status 1 when something is wrong, 2 when a server is away."""
    from lab.doctor import examine

    report = examine(service, repair=repair)
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        report.show(console)
    raise typer.Exit(report.exit_status)

"""``orderflow audit``: are all promises kept?"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lab.audit import audit_when_quiet
from lab.commands import console


def audit(
    wait: Annotated[float, typer.Option(help="wait at most so many seconds until nothing is under way")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Check every promise on the databases and queues as they are; exit status 1 when one is broken."""
    report = audit_when_quiet(wait)
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        report.show(console)
    raise typer.Exit(0 if report.clean else 1)

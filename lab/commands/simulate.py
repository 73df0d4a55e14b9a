"""``orderflow simulate``: one run of the simulated shop, as often as wanted, always the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from patterns.errors import SettingsError


def simulate(
    mode: Annotated[str, typer.Option(help="how every order travels; as the workload says, unless given")] = "",
    seed: Annotated[int, typer.Option(min=0, help="of the schedule: who goes first, and how long things take")] = 0,
    plan: Annotated[str, typer.Option(help='what breaks where, as JSON: {"46": "crash"}')] = "{}",
    workload: Annotated[str, typer.Option(help="what customers do, as JSON; one order, unless given")] = "{}",
    instances: Annotated[int, typer.Option(min=1, max=8, help="of each service")] = 1,
    switching: Annotated[float, typer.Option(min=0, max=1, help="how often others go first where they may")] = 0.2,
    store: Annotated[str, typer.Option(
        help="the databases: serial (one transaction after another), or read-committed (they cross, as on PostgreSQL)",
    )] = "serial",
    drawn: Annotated[bool, typer.Option(
        "--drawn", help="draw all that from mode and seed, as orderflow verify does")] = False,
    diagram: Annotated[Path | None, typer.Option(help="where the sequence diagrams go, as Markdown for Mermaid")] = None,
) -> None:
    """Run the whole shop in one thread, break it as planned, and check every promise; exit status 1 if one is broken."""
    from lab.simulation.case import Case  # only here: what is not served need not be loaded
    from lab.simulation.show import told
    from lab.simulation.swarm import draw
    from lab.simulation.workload import Wish

    written = {"workload": _read("--workload", workload), "plan": _read("--plan", plan), "seed": seed}
    case = Case.of({**written, "instances": instances, "switching": switching, "store": store})
    case = case.in_mode(mode) if mode else case
    case = draw(mode or Wish.mode, seed).case() if drawn else case
    result = case.run()
    print(told(case, result, diagram), end="")
    raise typer.Exit(1 if result.broken else 0)


def _read(option: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{option} is no JSON: {error}") from None

"""``orderflow compare``: the same orders through every mode."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lab.commands import console
from lab.commands.reporting import report
from patterns.errors import SettingsError
from patterns.settings import MODES
from patterns.shop import SERVICES


def compare(
    modes: Annotated[str, typer.Option(help="which modes, as rpc,topic; all six unless given")] = ",".join(MODES),
    orders: Annotated[int, typer.Option(min=10, max=100_000, help="orders in each mode")] = 100,
    clients: Annotated[int, typer.Option(min=1, max=200, help="clients at once, while all services are there")] = 4,
    real: Annotated[bool, typer.Option("--real", help="on RabbitMQ and PostgreSQL, configured or private")] = False,
    fail: Annotated[float, typer.Option(min=0, max=0.5, help="share of orders the gateway declines; and the carrier")] = 0.1,
    seed: Annotated[int | None, typer.Option(min=0, help="the same customers, goods and orders as another time")] = None,
    down: Annotated[str, typer.Option(help="the service that is away for a while")] = "payment",
    outage: Annotated[float, typer.Option(min=0, help="for at least so many seconds; 0: none is ever away")] = 10,
    out: Annotated[Path, typer.Option(help="folder for report, figures, picture and log")] = Path("compare-report"),
    write: Annotated[bool, typer.Option("--write", help="write docs/compare.md and README.md's table anew")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Send the same orders through every mode, and again with one service away; exit status 1 when the ends differ."""
    from lab import compare as comparing
    from patterns.logs import logs_to

    plan = comparing.Plan(
        modes=_modes(modes), orders=orders, clients=clients, real=real, fail=fail,
        down=_service(down), outage_seconds=outage,
        seed=seed if seed is not None else secrets.randbelow(1_000_000),
    )
    errors = Console(stderr=True)
    with logs_to(out / "compare.log"), comparing.progress(errors, plan) as watch:
        comparison = comparing.compare(plan, watch)
    written, missing = comparing.report_files(comparison, out)
    if write:
        written += comparing.write_pages(comparison)
    report(comparison, lambda: comparing.show(console, comparison), written, missing, errors, as_json=as_json)
    raise typer.Exit(0 if comparison.equal else 1)


def _modes(text: str) -> tuple[str, ...]:
    """Read ``rpc,topic``."""
    chosen = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for mode in chosen:
        if mode not in MODES:
            raise SettingsError(f"--modes: {mode or 'nothing'} is no mode; there are {', '.join(MODES)}")
    return chosen


def _service(name: str) -> str:
    if name not in SERVICES:
        raise SettingsError(f"--down: {name} is no service; there are {', '.join(SERVICES)}")
    return name

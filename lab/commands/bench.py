"""``orderflow bench``: what an order costs in each mode, beside a bare program that does the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console

from lab.commands import console
from lab.commands.reporting import report
from patterns.errors import SettingsError
from patterns.settings import MODES
from patterns.shop import SERVICES


def bench(
    mode: Annotated[list[str] | None, typer.Option(help="only this mode; again for more")] = None,
    orders: Annotated[
        int | None, typer.Option(min=20, max=1_000_000, help="of each drain; a closed loop has a third; 600 unless given")
    ] = None,
    clients: Annotated[str, typer.Option(help="clients at once, one closed loop for each number")] = "1,4,16,64",
    rounds: Annotated[
        int | None, typer.Option(min=1, max=99, help="how often everything is measured, in turn; 3 unless given")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(
        help="drain, closed or accept; again for more; or one of growth, backlog, scale-out, twofold, embedded")] = None,
    scale: Annotated[list[str] | None, typer.Option(help="processes of a service, as payment=4; again for more")] = None,
    rows: Annotated[int, typer.Option(min=0, help="settled orders in the tables before anything is measured")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="few orders, to see that it works")] = False,
    out: Annotated[Path, typer.Option(help="folder for report, figures and pictures")] = Path("docs/benchmarks"),
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Measure ours and a bare program of the same shape in turn, and write report, figures and pictures."""
    from lab.bench import files, growing, plan, screen
    from lab.bench.course import bench as run

    few = {"orders": 20, "clients": (4,), "rounds": 1, "warm_up": 4, "idle_seconds": 1.0} if quick else {}
    wanted = {"orders": orders, "rounds": rounds, "scale": _scale(scale), "rows": rows}
    given = {name: value for name, value in wanted.items() if value is not None} | few
    errors = Console(stderr=True)
    if only and only[0] in growing.QUESTIONS:
        growing.ask(_alone(only), given, out, errors, as_json=as_json)
        return
    planned = plan.Plan(**{  # type: ignore[arg-type]
        "modes": _known("--mode", mode, MODES), "clients": _numbers(clients),
        "kinds": _known("--only", only, get_args(plan.Kind)), **given,
    })
    with screen.progress(errors) as watch:
        results = run(planned, watch)
    written, missing = files.report_files(results, out)
    report(results, lambda: screen.show(console, results), written, missing, errors, as_json=as_json)


def _alone(only: list[str]) -> str:
    if len(only) > 1:
        raise SettingsError(f"--only: {only[0]} is measured alone")
    return only[0]


def _known(option: str, chosen: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    for name in chosen or ():
        if name not in known:
            raise SettingsError(f"{option}: {name} is none of {', '.join(known)}")
    return tuple(dict.fromkeys(chosen or known))


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= 500 for part in parts):
        raise SettingsError(f"--clients: {text} is no list of numbers from 1 to 500, such as 1,4,16")
    return tuple(dict.fromkeys(map(int, parts)))


def _scale(chosen: list[str] | None) -> dict[str, int]:
    scale: dict[str, int] = {}
    for one in chosen or ():
        service, _, number = one.partition("=")
        if service not in SERVICES or not number.isdecimal() or not 1 <= int(number) <= 16:
            raise SettingsError(f"--scale: {one} is not a service and a number from 1 to 16, such as payment=4")
        scale[service] = int(number)
    return scale

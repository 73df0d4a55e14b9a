"""``orderflow``: run the shop, look at its flows, audit it."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lab import shop
from lab.audit import audit_when_quiet
from lab.run import run as run_shop
from patterns.broker.journal import Journal
from patterns.errors import OrderflowError, SettingsError
from patterns.serve import serve as serve_app
from patterns.settings import MODES, settings
from patterns.shop import SERVICES

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console()


@app.command()
def run() -> None:
    """Open the whole shop in this process; the broker and databases are embedded unless configured."""
    run_shop(console)


@app.command()
def serve(service: str) -> None:
    """Serve one service (user, product, order, payment, delivery or notification) on its port."""
    shop.know_all()
    serve_app(service, shop.app_of(service))


@app.command()
def topology() -> None:
    """Declare every exchange, queue and binding of the shop; what is there already stays."""
    console.print(f"{shop.declare_topology()} queues are declared.")


@app.command()
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
    wide = Console(width=max(console.width, console.measure(table, options=console.options.update(width=300)).maximum))
    wide.print(table, soft_wrap=True)


@app.command()
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


@app.command()
def torture(
    mode: Annotated[str, typer.Option(help="one mode; all six, one after another, unless given")] = "",
    orders: Annotated[int, typer.Option(min=1, max=1_000_000, help="orders in each mode")] = 2000,
    clients: Annotated[int, typer.Option(min=1, max=200, help="clients at once")] = 16,
    instances: Annotated[int, typer.Option(min=1, max=8, help="processes of each service")] = 2,
    kills: Annotated[int | None, typer.Option(min=0, help="strikes in each mode: 12, embedded 3, unless given")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="the same orders and victims as another time")] = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="the embedded shop, killed as a whole")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Kill one process after another under load, then audit; exit status 1 when anything is lost, doubled or untrue."""
    from lab import torture as torturing  # only here: what is not served need not be loaded

    if mode and mode not in MODES:
        raise SettingsError(f"{mode} is no mode; there are {', '.join(MODES)}")
    plan = torturing.Plan(
        modes=(mode,) if mode else MODES, orders=orders, clients=clients, instances=instances, embedded=embedded,
        kills=kills if kills is not None else 3 if embedded else 12,
        seed=seed if seed is not None else secrets.randbelow(1_000_000),
    )
    with torturing.progress(Console(stderr=True), plan) as watch:
        totals = torturing.torture(plan, watch)
    if as_json:
        print(json.dumps(totals.as_dict(), indent=2))
    else:
        torturing.show(console, plan, totals)
    raise typer.Exit(0 if totals.clean else 1)


@app.command()
def reset(yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Empty the embedded shop: all its data in ORDERFLOW_HOME."""
    home = settings().orderflow_home
    if not home.exists():
        console.print(f"{home} is empty already.")
        return
    if not yes:
        typer.confirm(f"Remove all customers, products and orders in {home.resolve()}?", abort=True)
    with Journal.locked(home / "broker"):  # raises when a running shop would lose its ground
        for service in SERVICES:
            for file in home.glob(f"{service}.db*"):
                file.unlink()
        shutil.rmtree(home / "broker")
    console.print(f"{home} is empty.")


def main() -> None:
    """Entry point: errors of ours are said in plain words, without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except OrderflowError as error:
        Console(stderr=True).print(f"orderflow: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)

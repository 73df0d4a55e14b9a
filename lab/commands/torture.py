"""``orderflow torture``: kill, and see that nothing is lost."""

from __future__ import annotations

import json
import secrets
from typing import Annotated

import typer
from rich.console import Console

from lab.commands import console
from patterns.errors import SettingsError
from patterns.settings import MODES


def torture(
    mode: Annotated[list[str] | None, typer.Option(
        help="one mode; again for more; all six, one after another, unless given")] = None,
    together: Annotated[bool, typer.Option("--together", help="all these modes at once")] = False,
    orders: Annotated[int, typer.Option(min=1, max=1_000_000, help="orders in each mode")] = 2000,
    clients: Annotated[int, typer.Option(min=1, max=200, help="clients at once")] = 16,
    instances: Annotated[int, typer.Option(min=1, max=8, help="processes of each service")] = 2,
    kills: Annotated[int | None, typer.Option(
        min=0, help="strikes in each mode: 12, embedded 3, with --restarts 0, unless given")] = None,
    restarts: Annotated[int, typer.Option(
        min=0, max=1000, help="stop or kill RabbitMQ so often in each mode, and count every consumer afterwards")] = 0,
    faults: Annotated[str, typer.Option(
        help="what else to do once in each mode: all, or some of the kinds that a wrong name is answered with")] = "",
    at_once: Annotated[int, typer.Option(min=1, max=6, help="services met by each kill")] = 1,
    cluster: Annotated[bool, typer.Option(
        "--cluster", help="three nodes of RabbitMQ, to be killed by --faults node,node,node")] = False,
    deadline: Annotated[int, typer.Option(min=1, help="ORDER_DEADLINE_SECONDS of the shop")] = 60,
    heartbeat: Annotated[int | None, typer.Option(min=1, help="seconds, on the way to RabbitMQ; with --faults")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="the same orders and victims as another time")] = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="the embedded shop, killed as a whole")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Kill one process after another under load, then audit; exit status 1 when anything is lost, doubled or untrue.

    With --restarts it is RabbitMQ that goes away, and /readyz of every process must say so while it does.
    """
    from lab import torture as torturing  # only here: what is not served need not be loaded

    modes = tuple(mode or MODES)
    for name in modes:
        if name not in MODES:
            raise SettingsError(f"{name} is no mode; there are {', '.join(MODES)}")
    plan = torturing.Plan(
        modes=modes, together=together, orders=orders, clients=clients, instances=instances, embedded=embedded,
        faults=torturing.kinds_of(faults), at_once=at_once, cluster=cluster,
        deadline_seconds=deadline, heartbeat_seconds=heartbeat,
        kills=kills if kills is not None else 0 if restarts else 3 if embedded else 12, restarts=restarts,
        seed=seed if seed is not None else secrets.randbelow(1_000_000),
    )
    with torturing.progress(Console(stderr=True), plan) as watch:
        totals = torturing.torture(plan, watch)
    if as_json:
        print(json.dumps(totals.as_dict(), indent=2))
    else:
        torturing.show(console, plan, totals)
    raise typer.Exit(0 if totals.clean else 1)

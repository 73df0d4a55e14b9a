"""Try the compose shop: an order in each mode, then every container killed in mid-load."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer
from rich.console import Console

from lab.compose import clients, containers
from lab.compose.clients import Load, wait_until
from lab.compose.containers import ComposeTrouble, Victim
from patterns.errors import OrderflowError
from patterns.settings import MODES
from patterns.shop import SERVICES

console = Console(highlight=False, soft_wrap=True)
DEAD_SECONDS = 4.0
"""How long a victim stays dead at least: longer than a retry, shorter than an order's deadline."""


def main(
    orders: Annotated[int, typer.Option(min=6, help="orders for each kill")] = 60,
    victims: Annotated[str, typer.Option(help="whom to kill, with commas")] = ",".join((*SERVICES, "rabbitmq", "postgres")),
    build: Annotated[bool, typer.Option(help="build and start the shop first")] = True,
    modes: Annotated[bool, typer.Option(help="order in each mode first")] = True,
) -> None:
    """Kill each container of the compose shop under load; exit status 1 when an order is lost, doubled or untrue."""
    if build:
        containers.up()
    wait_until(clients.ready, "every service says it is ready")
    console.print("The shop is ready.")
    if modes:
        order_in_each_mode()
    for victim in filter(None, victims.split(",")):
        kill_under_load(victim, orders)
    console.print("Nothing was lost.")


def order_in_each_mode() -> None:
    """One order in each mode, as the order asks for it, and one as MESSAGING_MODE says."""
    for mode in MODES:
        with Load(1, modes=(mode,)) as load:
            settled(load, f'"mode": "{mode}"', mode)
    for mode in MODES:
        containers.up(mode)
        wait_until(clients.ready, "the order service is back")
        with Load(1, modes=()) as load:
            settled(load, f"MESSAGING_MODE={mode}", mode)
    containers.compose("up", "-d", "--no-deps", "order")
    wait_until(clients.ready, "the order service is back")


def settled(load: Load, said: str, mode: str) -> None:
    """Say how an order went.  Raises ComposeTrouble unless it travelled in this mode, and to a good end."""
    ended, [order] = load.settled(), load.answered.values()
    if order["mode"] != mode or ended != {"SUCCESS": 1}:
        raise ComposeTrouble(f"{said}: the order went by {order['mode']} and ended as {dict(ended)}")
    console.print(f"{said:<26} {order['mode']:<8} SUCCESS")


def kill_under_load(service: str, orders: int) -> None:
    """Place orders, kill, wait a little, start again; then all is settled, and the audit finds every promise kept."""
    victim = Victim(service)
    with Load(orders) as load:
        load.answers(orders // 4)
        before = len(load.answered)
        victim.kill()
        time.sleep(DEAD_SECONDS)
        while_dead = len(load.answered) - before
        victim.start()
        started = time.monotonic()
        ended = load.settled()
        seconds = time.monotonic() - started
    wait_until(clients.ready, f"every service is ready after {service} came back")
    report = containers.audit(60)
    if not report["clean"] or report["parked"]:
        raise ComposeTrouble(f"{service} was killed, and the audit finds: {report}")
    console.print(
        f"killed {service:<13} {orders} orders: {before} accepted before, {while_dead} while it was dead; {dict(ended)} "
        f"{seconds:.1f} s after it was started; answers {dict(load.attempts)}; audit clean, nothing parked"
    )


if __name__ == "__main__":
    try:
        typer.run(main)
    except OrderflowError as error:
        sys.exit(f"lab.compose: {error}")

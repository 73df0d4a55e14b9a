"""``orderflow run``, ``serve``, ``topology``, ``reset``: open the shop, and empty it."""

from __future__ import annotations

import shutil
from typing import Annotated

import typer

from lab import shop
from lab.commands import console
from lab.run import run as run_shop
from patterns.broker.journal import Journal
from patterns.serve import serve as serve_app
from patterns.settings import settings
from patterns.shop import SERVICES


def run() -> None:
    """Open the whole shop in this process; the broker and databases are embedded unless configured."""
    run_shop(console)


def serve(service: str) -> None:
    """Serve one service (user, product, order, payment, delivery or notification) on its port."""
    shop.know_all()
    serve_app(service, shop.app_of(service))


def topology() -> None:
    """Declare every exchange, queue and binding of the shop; what is there already stays."""
    console.print(f"{shop.declare_topology()} queues are declared.")


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

"""``orderflow run``: all six services in this process, each on its own port."""

from __future__ import annotations

import signal
import threading

from rich.console import Console

from lab.shop import app_of, know_all
from patterns.leaving import leave_at_once
from patterns.logs import configure_logs
from patterns.serve import Serving
from patterns.settings import settings
from patterns.shop import SERVICES
from patterns.transport import transport, use

USERS = (("Ada", 1_000_000), ("Grace", 500_000), ("Linus", 1_000))
PRODUCTS = (("Chair", 4_999, 1_000), ("Lamp", 1_999, 500), ("Piano", 499_900, 1))


def run(console: Console) -> None:
    """Open the shop, with customers and products to begin with, until Ctrl-C or SIGTERM."""
    configure_logs()
    know_all()
    transport()  # first: another process may hold the embedded broker, and then nothing should start
    closing = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: closing.set())
    serving = Serving({service: app_of(service) for service in SERVICES})
    serving.start()
    try:
        _first_stock()
        console.print(_welcome(), highlight=False, soft_wrap=True)
        while serving.alive and not closing.wait(1):
            pass
        console.print("Closing the shop: finishing what is in hand.", highlight=False)
    finally:
        finished = serving.stop()
        use(None)
    serving.refuse_if_one_did()
    if not finished:
        leave_at_once()


def _first_stock() -> None:
    """Put demo customers and products into an empty shop; a configured database that is away is left alone."""
    from uuid import uuid4

    from patterns.errors import DatabaseUnavailable
    from patterns.pages import Page
    from product import crud as products
    from product.database import database as product_database
    from user import crud as users
    from user.database import database as user_database

    try:
        if not user_database.read(users.list_users, Page(1)):
            for name, cents in USERS:
                user_database.transact(users.create_user, name, cents, uuid4())
        if not product_database.read(products.list_products, Page(1)):
            for name, cents, quantity in PRODUCTS:
                product_database.transact(products.create_product, name, cents, quantity)
    except DatabaseUnavailable:
        return  # the services say so and wait for it


def _welcome() -> str:
    config = settings()
    host = "localhost" if config.orderflow_host in ("127.0.0.1", "0.0.0.0", "::") else config.orderflow_host  # noqa: S104
    broker = "RabbitMQ (RABBITMQ_URL)" if config.rabbitmq_url else f"embedded ({config.orderflow_home}/broker)"
    data = "PostgreSQL (DATABASE_URL)" if config.database_url else f"SQLite ({config.orderflow_home}/*.db)"
    services = "\n".join(f"  {name:<13} http://{host}:{config.port(name)}/docs" for name in SERVICES)
    return (
        f"The shop is open.  Mode: [bold]{config.messaging_mode}[/]   broker: {broker}   databases: {data}\n"
        f"{services}\n"
        "Order something:\n"
        f"  [bold]curl -s {host}:{config.port('order')}/orders -H 'content-type: application/json' "
        """-d '{"user_id":1,"product_id":1,"quantity":2}'[/]\n"""
        f"and see what became of it:  curl -s {host}:{config.port('order')}/orders/ID\n"
        "Ctrl-C closes the shop."
    )

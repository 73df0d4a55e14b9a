"""The rows that are there before: customers and goods, and settled orders of the past (:mod:`lab.bench.past`)."""

from __future__ import annotations

from typing import Any

import psycopg

from lab.bench.past import PRICE, past
from lab.bench.plan import CUSTOMERS, PRODUCTS

MONEY, PIECES = 10**15, 10**11

STOCK: dict[str, tuple[str, ...]] = {
    "user": (
        "INSERT INTO users (name, balance_cents, held_cents, spent_cents, paid_in_cents)"
        f" SELECT 'Customer ' || i, {MONEY}, 0, 0, {MONEY} FROM generate_series(1, {CUSTOMERS}) i ORDER BY i",
        f"INSERT INTO deposits (id, user_id, amount_cents, paid_in_at) SELECT md5('deposit ' || id)::uuid, id, {MONEY}, 0"
        " FROM users",
    ),
    "product": (
        "INSERT INTO products (name, price_cents, shelf, reserved, sold, put_in)"
        f" SELECT 'Product ' || i, {PRICE}, {PIECES}, 0, 0, {PIECES} FROM generate_series(1, {PRODUCTS}) i ORDER BY i",
    ),
}


def connect(database_url: str, service: str) -> psycopg.Connection[Any]:
    """A connection to a service's database, each statement a transaction."""
    return psycopg.connect(database_url.replace("{service}", service), autocommit=True)


def stock_up(database_url: str) -> None:
    """Open the accounts and fill the shelves."""
    for service, statements in STOCK.items():
        with connect(database_url, service) as database:
            for statement in statements:
                database.execute(statement.encode())


def fill(database_url: str, orders: int) -> None:
    """Fill all tables with this many orders that were settled yesterday, and book them."""
    if orders:
        for service, statements in past(orders).items():
            with connect(database_url, service) as database:
                for statement in statements:
                    database.execute(statement.encode())
                database.execute(b"ANALYZE")


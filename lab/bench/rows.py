"""The rows that are there before: customers and goods, and settled orders of the past (:mod:`lab.bench.past`)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.errors import InsufficientPrivilege

from lab.bench.past import BOOKED, PRICE, Rows, past
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
    """Fill all tables with this many orders that were settled yesterday, and book them; two services at once."""
    made = past(orders)
    with ThreadPoolExecutor(2) as both:
        for filled in [both.submit(copy_in, database_url, service, rows) for service, rows in made.items()]:
            filled.result()
    # All of it goes to the disk now, not while somebody is measured; a server that others use does so in its own time.
    with connect(database_url, "order") as database, suppress(InsufficientPrivilege):
        database.execute("CHECKPOINT")


def copy_in(database_url: str, service: str, made: Sequence[Rows]) -> None:
    """Copy these rows into a service's tables, book them, and let the server look at what there is now."""
    with connect(database_url, service) as out, connect(database_url, service) as into:
        for rows in made:
            with (
                out.cursor().copy(f"COPY ({rows.query}) TO STDOUT".encode()) as generated,
                into.cursor().copy(f"COPY {rows.into} FROM STDIN".encode()) as taken,
            ):
                for block in generated:
                    taken.write(block)
        if service in BOOKED:
            into.execute(BOOKED[service].encode())
        # Now, so that the server does not do it by itself while somebody is measured.
        filled = ", ".join(sorted({rows.into.partition(" ")[0] for rows in made}))
        into.execute(f"VACUUM (ANALYZE) {filled}".encode())

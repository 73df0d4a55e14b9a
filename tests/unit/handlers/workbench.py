"""A bench to try handlers on: one service's tables in a SQLite file, and messages about one order.

Each call of :meth:`Workbench.do` is one transaction, as in the running service; nothing travels.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Executable, Row, Table, event, insert, select
from sqlalchemy.exc import IntegrityError

from patterns.database import Database, Session
from patterns.engine import sqlite_url
from patterns.message import TYPES, Message
from patterns.place_order import PlaceOrder
from patterns.shop import CancelOrder, Line, OrderPlaced, Priced, PricedLine, Refusal

RICH, POOR, NOBODY = 1, 2, 99
PENCIL, SOLD_OUT, NOTHING = 1, 2, 99
PRICE = 250


class Workbench:
    """One service's handlers and tables, with a database of their own."""

    def __init__(self, service: str, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.service = service
        self.handlers = import_module(f"{service}.mqlistener")
        self.tables = import_module(f"{service}.models").metadata
        self.database = in_no_order(Database(service, sqlite_url(folder, service), clock))
        self.database.create_tables(self.tables)
        self._furnish()

    def _furnish(self) -> None:
        """Goods to sell, and customers to sell them to, where the service has such."""
        goods = {"reserved": 0, "sold": 0, "price_cents": PRICE}
        money = {"held_cents": 0, "spent_cents": 0}
        rows = {
            "products": [
                {"id": PENCIL, "name": "pencil", "shelf": 1000, "put_in": 1000, **goods},
                {"id": SOLD_OUT, "name": "pen", "shelf": 0, "put_in": 0, **goods},
            ],
            "users": [
                {"id": RICH, "name": "Rich", "balance_cents": 10**6, "paid_in_cents": 10**6, **money},
                {"id": POOR, "name": "Poor", "balance_cents": 0, "paid_in_cents": 0, **money},
            ],
        }
        for name, some in rows.items():
            if name in self.tables.tables:
                self.work(partial(_insert, table=self.table(name), rows=some))

    def do(self, handler: str | Callable[..., Any], message: Message, *more: Any) -> tuple[Any, ...]:
        """Let a handler hear a message, in a transaction of its own; answers what it says."""
        function = getattr(self.handlers, handler) if isinstance(handler, str) else handler
        said = self.database.transact(function, message, *more)
        return said if isinstance(said, tuple) else (said,) if said is not None else ()

    def work(self, work: Callable[[Session], Any]) -> Any:
        """Do something in a transaction."""
        return self.database.transact(work)

    def is_refused(self, constraint: str, statement: Executable) -> bool:
        """Whether the database refuses this statement because of that constraint, and so changes nothing."""
        try:
            self.work(lambda session: session.execute(statement))
        except IntegrityError as error:
            return constraint in str(error.orig)
        return False

    def table(self, name: str) -> Table:
        """One of the service's tables."""
        table: Table = self.tables.tables[name]
        return table

    def rows(self, table: str, **where: Any) -> list[Row[Any]]:
        """The rows of a table in which these columns have these values, by their keys."""
        found = self.table(table)
        conditions = [found.c[name] == value for name, value in where.items()]
        query = select(found).where(*conditions).order_by(*found.primary_key.columns)
        return self.database.read(lambda session: list(session.execute(query)))

    def row(self, table: str, **where: Any) -> Row[Any] | None:
        """The one such row, if there is one."""
        rows = self.rows(table, **where)
        assert len(rows) <= 1, f"{len(rows)} rows in {table}"
        return rows[0] if rows else None


def in_no_order(database: Database) -> Database:
    """The same SQLite database, which answers rows backwards where nobody asks for an order, as PostgreSQL may.

    https://www.sqlite.org/pragma.html#pragma_reverse_unordered_selects
    """
    event.listen(database.engine, "connect", lambda connection, _: connection.execute(
        "PRAGMA reverse_unordered_selects=ON"))
    return database


def _insert(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    session.execute(insert(table), rows)


def word(message: str | type[Message], order_id: UUID | None = None, **fields: Any) -> Any:
    """A message of this type about an order, all its fields filled in with something sensible."""
    kind = TYPES[message] if isinstance(message, str) else message
    said: dict[str, Any] = {"order_id": order_id or uuid4()}
    if issubclass(kind, Priced):
        amount = fields.get("amount_cents", PRICE)
        said |= {"lines": (PricedLine(product_id=PENCIL, quantity=1, price_cents=amount),), "amount_cents": amount}
    elif kind in (OrderPlaced, PlaceOrder):
        said |= {"user_id": RICH, "lines": (Line(product_id=PENCIL, quantity=2),)}
        said |= {"mode": "topic"} if kind is PlaceOrder else {}
    elif issubclass(kind, Refusal | CancelOrder):
        said |= {"reason": "no, thank you"}
    if "user_id" in kind.model_fields:
        said.setdefault("user_id", RICH)
    return kind.model_validate({**said, **fields})

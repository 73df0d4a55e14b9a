"""A shop of the first days, before migrations were counted: its tables as they were, one successful order on the books."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import MetaData, Table, text

from patterns.database import Database, Session
from patterns.migrations import upgrade
from patterns.quick import plain
from patterns.shop import SERVICES

ADA, CHAIR, CENTS = 1, 1, 10_000
DONE = {"user_id": ADA, "changed_at": 1000.0}


def rows_of(order: UUID) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """What each service wrote down about the order, in the columns of those days."""
    money = {"balance_cents": 90_000, "held_cents": 0, "spent_cents": CENTS, "paid_in_cents": 100_000}
    goods = {"price_cents": CENTS, "shelf": 49, "reserved": 0, "sold": 1, "put_in": 50}
    times = {"placed_at": 999.0, "deadline_at": 1029.0, "settled_at": 1000.0}
    ended = {"mode": "topic", "status": "SUCCESS", "saga_state": "COMPLETED", "amount_cents": CENTS, "fingerprint": "-"}
    told = {"order_id": order, "user_id": ADA}
    return {
        "user": {
            "users": [{"id": ADA, "name": "Ada", **money}],
            "deposits": [{"id": uuid4(), "user_id": ADA, "amount_cents": 100_000, "paid_in_at": 1.0}],
            "holds": [{"order_id": order, "state": "SPENT", "amount_cents": CENTS, **DONE}],
        },
        "product": {
            "products": [{"id": CHAIR, "name": "Chair", **goods}],
            "reservations": [{"order_id": order, "state": "SOLD", "amount_cents": CENTS, **DONE}],
            "reservation_lines": [{"order_id": order, "product_id": CHAIR, "quantity": 1, "price_cents": CENTS}],
        },
        "order": {
            "orders": [{"id": order, "user_id": ADA, **ended, **times}],
            "order_lines": [{"order_id": order, "product_id": CHAIR, "quantity": 1}],
        },
        "payment": {"payments": [{"order_id": order, "state": "TAKEN", "amount_cents": CENTS, **DONE}]},
        "delivery": {"deliveries": [{"order_id": order, "state": "SCHEDULED", **DONE}]},
        "notification": {
            "notifications": [
                {**told, "kind": "OrderPlaced", "text": "Thank you.", "told_at": 999.0},
                {**told, "kind": "OrderConfirmed", "text": "It comes.", "told_at": 1000.0},
            ]
        },
    }


def make_old_shop(database_of: Callable[[str], Database]) -> UUID:
    """Fill six empty databases so; answers the order's id."""
    order = uuid4()
    for service in SERVICES:
        database = database_of(service)
        database.alone(upgrade, service, import_module(f"{service}.models").metadata, to="0001")
        database.transact(_write, rows_of(order)[service])
        database.close()
    return order


def _write(session: Session, tables: dict[str, list[dict[str, Any]]]) -> None:
    session.execute(text("DROP TABLE alembic_version"))  # which nobody had in those days
    for name, rows in tables.items():
        table = Table(name, MetaData(), autoload_with=plain(session))
        session.execute(table.insert(), [{column: _stored(session, value) for column, value in row.items()} for row in rows])


def _stored(session: Session, value: Any) -> Any:
    return value.hex if isinstance(value, UUID) and session.dialect.name == "sqlite" else value

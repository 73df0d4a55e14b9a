"""Guards taken away that only transactions which meet can miss: a SELECT and then a write, locks in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from order import crud as orders
from order.models import orders as order_rows
from patterns import inbox, outbox, step
from patterns.database import now
from patterns.journal import inbox as heard_rows
from patterns.shop import PricedLine
from product import crud as products
from product.models import products as shelves
from user import crud as users
from user.models import holds
from user.models import users as accounts


def inbox_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    note, add = inbox.first_times, outbox.add
    heard: dict[int, Sequence[dict[str, Any]]] = {}  # by session

    def first_times(session: Any, rows: Sequence[dict[str, Any]]) -> set[UUID]:
        ids = {row["message_id"] for row in rows}
        heard[id(session)] = rows
        return ids - set(session.execute(select(heard_rows.c.message_id).where(heard_rows.c.message_id.in_(ids))).scalars())

    def add_and_note(session: Any, said: Any) -> Any:
        note(session, heard.pop(id(session), ()))
        return add(session, said)

    monkeypatch.setattr(inbox, "first_times", first_times)
    monkeypatch.setattr(outbox, "add", add_and_note)


def step_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    insert = step.insert_once

    def insert_once(session: Any, table: Any, **values: Any) -> bool:
        if "order_id" not in table.c or "order_id" not in values:
            return insert(session, table, **values)
        there = session.execute(select(table.c.state).where(table.c.order_id == values["order_id"])).one_or_none()
        insert(session, table, **values)
        return there is None

    monkeypatch.setattr(step, "insert_once", insert_once)


def move_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def move(session: Any, steps: Any, order_id: UUID, before: str, after: str, **values: Any) -> Any:
        known = session.execute(select(steps.c.state).where(steps.c.order_id == order_id)).scalar_one_or_none()
        if known != before:
            return None
        changed = update(steps).where(steps.c.order_id == order_id).values(state=after, changed_at=now(), **values)
        return session.execute(changed.returning(steps)).one_or_none()

    monkeypatch.setattr(step, "move", move)


def shelf_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(session: Any, lines: Any) -> tuple[list[PricedLine], str | None]:
        taken: list[PricedLine] = []
        for line in sorted(lines, key=lambda line: line.product_id):
            row = session.execute(select(shelves).where(shelves.c.id == line.product_id)).one_or_none()
            if row is None or row.shelf < line.quantity:
                return taken, f"product {line.product_id}: not enough on the shelf for {line.quantity}"
            left = {"shelf": row.shelf - line.quantity, "reserved": row.reserved + line.quantity}
            session.execute(update(shelves).where(shelves.c.id == row.id).values(left))
            taken.append(PricedLine(product_id=row.id, quantity=line.quantity, price_cents=row.price_cents))
        return taken, None

    monkeypatch.setattr(products, "_take", take)


def account_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hold(session: Any, order_id: UUID, user_id: int, amount_cents: int) -> str | None:
        if not step.begin(session, holds, order_id, "HELD", user_id=user_id, amount_cents=amount_cents):
            return step.refusal(session, holds, order_id, done=("HELD", "SPENT"))
        row = session.execute(select(accounts).where(accounts.c.id == user_id)).one()
        if row.balance_cents < amount_cents:
            step.move(session, holds, order_id, "HELD", "REJECTED", reason="not enough money")
            return "not enough money"
        left = {"balance_cents": row.balance_cents - amount_cents, "held_cents": row.held_cents + amount_cents}
        session.execute(update(accounts).where(accounts.c.id == user_id).values(left))
        return None

    monkeypatch.setattr(users, "hold", hold)


def ending_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(session: Any, order_id: UUID, event: str, **changes: Any) -> Any:
        if session.execute(select(order_rows.c.status).where(order_rows.c.id == order_id)).scalar() != "PROCESSING":
            return None
        ended = update(order_rows).where(order_rows.c.id == order_id).values(settled_at=now(), **changes)
        row = session.execute(ended.returning(order_rows.c.user_id, order_rows.c.mode, order_rows.c.saga_state)).one()
        orders.note(session, order_id, event, row.saga_state, changes.get("reason"))
        return row

    monkeypatch.setattr(orders, "_settle", settle)


def locks_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsorted(lines: Any, *, key: Callable[[Any], Any]) -> list[Any]:
        del key
        return list(lines)

    monkeypatch.setattr(products, "sorted", unsorted, raising=False)

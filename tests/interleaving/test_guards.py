"""Guards taken away, one at a time: the crossings notice each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, insert, select, update

from lab.interleaving.on_postgres import PostgresStage
from lab.interleaving.stage import Stage
from order import crud as orders
from patterns import database, inbox, journal, step
from patterns.database import Session, now
from product import crud as products
from tests.interleaving.plays import Plays, broken, caught, deadlocks, some
from user import crud as users

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

Patch = pytest.MonkeyPatch


def select_then_insert(session: Session, table: Table, **values: Any) -> bool:
    """A guard that looks first, and writes then."""
    [key] = table.primary_key.columns
    if session.execute(select(key).where(key == values[key.name])).one_or_none() is not None:
        return False
    session.execute(insert(table).values(**values))
    return True


def select_then_update(
    session: Session, steps: Table, order_id: UUID, before: str, after: str, **values: Any
) -> Any:
    """A transition that looks first, and writes then."""
    row = session.execute(select(steps).where(steps.c.order_id == order_id)).one_or_none()
    if row is None or row.state != before:
        return None
    session.execute(update(steps).where(steps.c.order_id == order_id).values(state=after, changed_at=now(), **values))
    return row


@contextmanager
def without_key(stage: Stage, table: str) -> Iterator[None]:
    """The table without its primary key: else the database itself would notice, and refuse."""
    assert isinstance(stage, PostgresStage)
    stage.reset(stage.mode)
    stage.admin.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey".encode())
    yield
    stage.reset(stage.mode)
    key = "service, message_id" if table == "inbox" else "order_id"
    stage.admin.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({key})".encode())


def test_a_step_that_looks_before_it_writes_is_done_twice(play: Plays, monkeypatch: Patch) -> None:
    monkeypatch.setattr(step, "insert_once", select_then_insert)
    request = play("user", "one request under two ids")
    with without_key(request.stage, "holds"):
        assert "200 held, the holds say 100" in caught(request)


def test_the_table_itself_notices_a_step_that_is_written_twice(play: Plays, monkeypatch: Patch) -> None:
    """The second defence: the key turns money held twice into a message that is tried again."""
    monkeypatch.setattr(step, "insert_once", select_then_insert)
    assert caught(play("user", "one request under two ids"), "retried")


@pytest.mark.parametrize(("service", "name"), [("user", "a release under two ids"), ("product", "sold or released")])
def test_a_transition_that_looks_before_it_writes_is_made_twice(
    service: str, name: str, play: Plays, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(step, "move", select_then_update)
    assert caught(play(service, name))


def test_an_ending_that_looks_before_it_writes_ends_twice(play: Plays, monkeypatch: Patch) -> None:
    real = orders._settle

    def settle(session: Session, order_id: UUID, event: str, **changes: Any) -> Any:
        found = session.execute(select(orders.orders).where(orders.orders.c.id == order_id)).one()
        if found.status != "PROCESSING":
            return None
        again = {"status": "PROCESSING", "settled_at": None}
        session.execute(update(orders.orders).where(orders.orders.c.id == order_id).values(again))
        return real(session, order_id, event, **changes)

    monkeypatch.setattr(orders, "_settle", settle)
    assert caught(play("order", "confirmed or cancelled"))


def test_an_inbox_that_looks_before_it_writes_hears_twice(play: Plays, monkeypatch: Patch) -> None:
    def first_times(session: Session, rows: list[dict[str, Any]]) -> set[UUID]:
        ids = {row["message_id"] for row in rows}
        known = select(journal.inbox.c.message_id).where(journal.inbox.c.message_id.in_(ids))
        new = ids - set(session.execute(known).scalars())
        for row in rows:
            if row["message_id"] in new:
                session.execute(insert(journal.inbox).values(**row, heard_at=now()))
        return new

    monkeypatch.setattr(inbox, "first_times", first_times)
    news = play("notification", "two batches with the same news")
    with without_key(news.stage, "inbox"):
        assert caught(news)


def test_money_that_is_counted_before_it_is_taken_is_taken_twice(play: Plays, monkeypatch: Patch) -> None:
    def hold(session: Session, order_id: UUID, user_id: int, amount_cents: int) -> str | None:
        user = session.execute(select(users.users).where(users.users.c.id == user_id)).one()
        if user.balance_cents < amount_cents:
            return "not enough money"
        step.begin(session, users.holds, order_id, "HELD", user_id=user_id, amount_cents=amount_cents)
        left = {"balance_cents": user.balance_cents - amount_cents, "held_cents": user.held_cents + amount_cents}
        session.execute(update(users.users).where(users.users.c.id == user_id).values(left))
        return None

    monkeypatch.setattr(users, "hold", hold)
    assert "the holds say 200" in caught(play("user", "two orders, money for one"))


def test_shelves_locked_as_the_order_names_them_deadlock(play: Plays, monkeypatch: Patch) -> None:
    """Transactions are then repeated, so that all promises are kept; only slowly."""
    asked = "two orders for two products, the other way round"
    assert not deadlocks(some(play("product", asked)))
    monkeypatch.setattr(products, "sorted", lambda lines, **_: lines, raising=False)
    episodes = some(play("product", asked))
    assert deadlocks(episodes) and not broken(episodes)


@pytest.mark.parametrize(("service", "name"), [
    ("user", "two batches, customers the other way round"), ("product", "two batches, products the other way round"),
])
def test_batches_that_lock_as_they_come_deadlock(service: str, name: str, play: Plays, monkeypatch: Patch) -> None:
    batches = play(service, name)
    assert not deadlocks(some(batches, 8))
    monkeypatch.setattr(batches.stage.listener, "_lock_rows", None)
    assert deadlocks(some(play(service, name)))


def test_a_deadlock_that_is_not_repeated_costs_the_message_a_try(play: Plays, monkeypatch: Patch) -> None:
    monkeypatch.setattr(database, "TRY_AGAIN", frozenset())
    assert caught(play("product", "an order for two products and somebody who locks backwards"), "retried")

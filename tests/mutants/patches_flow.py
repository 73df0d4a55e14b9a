"""Defences of the flow taken away: guards, tombstones, compensations, deadlines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import pytest
from sqlalchemy import delete, select, update

from order import crud as orders
from patterns import amounts, step
from patterns.address import Topic
from patterns.hearing import Heard
from patterns.runtime import runtime
from patterns.shop import DeliveryFailed, FundsRejected
from payment import crud as payments
from product import crud as products
from product.models import products as shelves
from product.models import reservation_lines
from user import crud as users
from user.models import holds
from user.models import users as accounts

Handle = Callable[[Heard, Any, Callable[[], tuple[Any, ...]]], tuple[Any, ...]]


def instead(monkeypatch: pytest.MonkeyPatch, handler: str, work: Handle) -> None:
    """Let this be done in a handler's place: ``work(heard, session, what the handler itself would do)``."""
    real = Heard.handle

    def handle(self: Heard, session: Any) -> tuple[Any, ...]:
        if self.line.handler.__name__ != handler:
            return real(self, session)
        return work(self, session, lambda: real(self, session))

    monkeypatch.setattr(Heard, "handle", handle)


# -- step rows


def no_step_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    real = step.begin

    def begin(session: Any, steps: Any, order_id: UUID, state: str, **values: Any) -> bool:
        session.execute(delete(steps).where(steps.c.order_id == order_id))
        return real(session, steps, order_id, state, **values)

    monkeypatch.setattr(step, "begin", begin)
    monkeypatch.setattr(step, "undo", lambda session, steps, order, before, after: (
        None if step.move(session, steps, order, before, after) is None else
        session.execute(select(steps).where(steps.c.order_id == order)).one()))
    clear_lines(monkeypatch)


def clear_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reservation made anew has its lines made anew: the table's key would refuse them."""
    take = products._take

    def taking(session: Any, lines: Any) -> Any:
        session.execute(delete(reservation_lines).where(
            reservation_lines.c.order_id.not_in(select(products.reservations.c.order_id).where(
                products.reservations.c.amount_cents.is_not(None)))))
        return take(session, lines)

    monkeypatch.setattr(products, "_take", taking)


def no_tombstone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "undo", step.move)


def undone_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real = step.undo

    def undo(session: Any, steps: Any, order_id: UUID, before: str, after: str) -> Any:
        again = select(steps).where(steps.c.order_id == order_id, steps.c.state == after)
        return real(session, steps, order_id, before, after) or session.execute(again).one_or_none()

    monkeypatch.setattr(step, "undo", undo)


def refused_though_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "refusal", lambda *_, **__: "it was asked before")


def yes_to_what_was_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    real = step.refusal
    undone = ("RELEASED", "REFUNDED", "CANCELLED")
    monkeypatch.setattr(step, "refusal", lambda session, steps, order_id, done: (
        real(session, steps, order_id, (*done, *undone))))


# -- goods and money


def no_guard_on_goods(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "transfer_if_enough", unguarded)


def no_guard_on_money(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "transfer_if_enough", unguarded)


def unguarded(session: Any, table: Any, row_id: int, source: str, target: str, amount: int) -> Any:
    """``UPDATE … WHERE id = … AND there is enough``, without the second half."""
    moving = amounts._moving(table, source, target).returning(table)
    return session.execute(moving, {"row": row_id, "amount": amount}).one_or_none()


def the_refund_is_of_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(session: Any, order_id: UUID) -> None:
        released = step.undo(session, holds, order_id, "HELD", "RELEASED")
        if released is not None:
            amount = released.amount_cents // 2
            session.execute(update(accounts).where(accounts.c.id == released.user_id).values(
                balance_cents=accounts.c.balance_cents + amount, held_cents=accounts.c.held_cents - amount))

    monkeypatch.setattr(users, "release", release)


def an_answer_at_todays_price(monkeypatch: pytest.MonkeyPatch) -> None:
    real = products.reserved_lines

    def reserved_lines(session: Any, order_id: UUID) -> Any:
        prices = dict(session.execute(select(shelves.c.id, shelves.c.price_cents)).tuples().all())
        return tuple(line.model_copy(update={"price_cents": prices[line.product_id]}) for line in real(session, order_id))

    monkeypatch.setattr(products, "reserved_lines", reserved_lines)


# -- compensations


def _nothing(*_: Any) -> None:
    return None


def goods_not_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "release", _nothing)


def money_not_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "release", _nothing)


def payment_not_refunded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "refund", _nothing)


def no_refund_when_the_carrier_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "refund_payment",
            lambda heard, _, really: () if isinstance(heard.message, DeliveryFailed) else really())


# -- how an order ends


def the_last_word_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    real = orders._settle

    def settle(session: Any, order_id: UUID, event: str, **changes: Any) -> Any:
        again = {"status": "PROCESSING", "settled_at": None, "undone_at": None}
        session.execute(update(orders.orders).where(orders.orders.c.id == order_id).values(again))
        return real(session, order_id, event, **changes)

    monkeypatch.setattr(orders, "_settle", settle)


def advance_whatever_was(monkeypatch: pytest.MonkeyPatch) -> None:
    real = orders.progress

    def progress(session: Any, order_id: UUID, event: str, saga_state: str) -> bool:
        return real(session, order_id, event, saga_state) or True

    monkeypatch.setattr(orders, "progress", progress)


def deadlines_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    place, overdue = orders.place, orders.overdue
    known: WeakKeyDictionary[Any, set[UUID]] = WeakKeyDictionary()

    def placing(session: Any, order: Any) -> bool:
        known.setdefault(runtime().process, set()).add(order.order_id)  # type: ignore[attr-defined]
        return place(session, order)

    def remembered(session: Any, limit: int) -> list[UUID]:
        mine = known.get(runtime().process, set())  # type: ignore[attr-defined]
        return [order_id for order_id in overdue(session, limit) if order_id in mine]

    monkeypatch.setattr(orders, "place", placing)
    monkeypatch.setattr(orders, "overdue", remembered)


def nobody_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "overdue", lambda *_: [])


def refused_by_a_wrong_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the user service's instances have a clock that is an hour fast, and refuse what seems too late."""

    def hold(heard: Heard, session: Any, really: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
        fast = 3600.0 if runtime().process.name.endswith("2") else 0.0  # type: ignore[attr-defined]
        deadline = heard.context.deadline
        if deadline is not None and runtime().now() + fast > deadline:
            return (FundsRejected(order_id=heard.message.order_id, reason="too late"),)
        return really()

    instead(monkeypatch, "hold_funds", hold)


def key_not_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    real = orders.place

    def place(session: Any, order: Any) -> bool:
        known = select(orders.orders.c.id).where(orders.orders.c.id == order.order_id)
        if session.execute(known).one_or_none() is not None:
            object.__setattr__(order, "__dict__", {**order.__dict__, "order_id": another_id()})
        return real(session, order)

    monkeypatch.setattr(orders, "place", place)


def key_before_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    real = orders.insert_once

    def insert_once(session: Any, table: Any, **values: Any) -> bool:
        inserted = real(session, table, **values)
        session.commit()
        return inserted

    monkeypatch.setattr(orders, "insert_once", insert_once)


def another_id() -> UUID:
    """An order id nobody has."""
    return UUID(int=int(runtime().token(), 16))


def typo_in_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Topic.target

    def target(self: Topic, order_id: UUID | None) -> tuple[str, str]:
        exchange, key = real(self, order_id)
        return exchange, f"{key}.v2" if key == "order.confirmed" else key

    monkeypatch.setattr(Topic, "target", target)

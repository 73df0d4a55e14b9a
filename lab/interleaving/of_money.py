"""Transactions that meet at a customer's money."""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy import select

from lab.interleaving.scenarios import Act, Scenario, does, hears
from lab.interleaving.stage import NAMES
from patterns.database import Session
from patterns.shop import OrderConfirmed, PaymentFailed, PaymentRefunded, PricedLine, StockReserved
from user import crud
from user.models import users

A, B, C, D = sorted((uuid5(NAMES, letter) for letter in "ABCD"), key=str)


def wants(order: UUID, user: int = 1, cents: int = 100) -> StockReserved:
    """An order whose goods are reserved."""
    line = PricedLine(product_id=1, quantity=1, price_cents=cents)
    return StockReserved(order_id=order, user_id=user, lines=(line,), amount_cents=cents)


def undone(order: UUID) -> PaymentRefunded:
    """An order that is undone down to its payment."""
    return PaymentRefunded(order_id=order)


def failed(order: UUID) -> PaymentFailed:
    """An order whose payment was declined."""
    return PaymentFailed(order_id=order, reason="declined")


def success(order: UUID) -> OrderConfirmed:
    """An order that is a success."""
    return OrderConfirmed(order_id=order, user_id=1)


def lock_backwards(session: Session) -> None:
    """Somebody at a terminal locks two customers, the largest id first: nobody in the shop does that."""
    for user in (2, 1):
        session.execute(select(users.c.id).where(users.c.id == user).with_for_update())


def opened(*cents: int) -> tuple[Act, ...]:
    """Accounts with this much money."""
    return tuple(does(crud.create_user, "Ada", each, uuid5(NAMES, f"opening {at}")) for at, each in enumerate(cents))


HOLD_A = hears(wants(A))
PAY = uuid5(NAMES, "deposit")

OF_MONEY = (
    Scenario("two orders, money for one", "user", (hears(wants(A)), hears(wants(B))), opened(150)),
    Scenario("one request, delivered twice", "user", (hears(wants(A)), hears(wants(A))), opened(150)),
    Scenario("one request under two ids", "user", (hears(wants(A)), hears(wants(A), again="1")), opened(250)),
    Scenario("a hold and its release", "user", (hears(wants(A)), hears(undone(A))), opened(150)),
    Scenario("a replayed hold and its release", "user",
             (hears(wants(A), again="1"), hears(undone(A))), (*opened(250), HOLD_A)),
    Scenario("two ways to be released", "user", (hears(undone(A)), hears(failed(A))), (*opened(150), HOLD_A)),
    Scenario("a release under two ids", "user", (hears(undone(A)), hears(undone(A), again="1")), (*opened(150), HOLD_A)),
    Scenario("spent under two ids", "user", (hears(success(A)), hears(success(A), again="1")), (*opened(150), HOLD_A)),
    Scenario("spent or released", "user", (hears(success(A)), hears(undone(A))), (*opened(150), HOLD_A)),
    Scenario("a hold and a deposit", "user", (hears(wants(A)), does(crud.deposit, 1, 60, PAY)), opened(50)),
    Scenario("one deposit asked for twice", "user", (does(crud.deposit, 1, 60, PAY),) * 2, opened(50), ("topic",)),
    Scenario("one key for two deposits", "user", (does(crud.deposit, 1, 60, PAY), does(crud.deposit, 1, 61, PAY)),
             opened(50), ("topic",)),
    Scenario("two deposits", "user", (does(crud.deposit, 1, 60, PAY), does(crud.deposit, 1, 61, A)), opened(50), ("topic",)),
    Scenario("a hold and the account's end", "user", (hears(wants(A, cents=0)), does(crud.delete_user, 1)), opened(0)),
    Scenario("a refused hold and the account's end", "user", (hears(wants(A)), does(crud.delete_user, 1)), opened(0)),
    Scenario("a deposit and the account's end", "user",
             (does(crud.deposit, 1, 60, PAY), does(crud.delete_user, 1)), opened(0), ("topic",)),
    Scenario("two batches, customers the other way round", "user",
             (hears(wants(A, 2), wants(B, 1)), hears(wants(C, 1), wants(D, 2))), opened(150, 150)),
    Scenario("a batch and somebody who locks backwards", "user",
             (hears(wants(A, 1), wants(B, 2)), does(lock_backwards)), opened(150, 150)),
    Scenario("three orders, money for two", "user", (hears(wants(A)), hears(wants(B)), hears(wants(C))), opened(250)),
    Scenario("a hold under three ids", "user", tuple(hears(wants(A), again=again) for again in ("", "1", "2")), opened(350)),
    Scenario("a hold, a release, a deposit", "user", (hears(wants(B)), hears(undone(A)), does(crud.deposit, 1, 60, PAY)),
             (*opened(120), HOLD_A)),
    Scenario("a late request, its undo, and the undo again", "user",
             (hears(wants(A)), hears(undone(A)), hears(failed(A))), opened(150)),
)

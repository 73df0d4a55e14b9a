"""Verbs on the user service's tables.  Each takes a session and never commits; each change carries its own guard."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, insert, select, update

from patterns import step
from patterns.amounts import transfer, transfer_if_enough
from patterns.database import Session, now
from patterns.errors import Conflict, KeyReused, NotFound
from patterns.locking import lock, of_orders
from patterns.message import Message
from patterns.pages import Page
from patterns.removal import remove
from user.models import deposits, holds, users

MOST_PAID_IN_CENTS = 10**18


def create_user(session: Session, name: str, balance_cents: int, deposit_id: UUID) -> Row[Any]:
    """Open an account with this much money in it."""
    nothing = {"balance_cents": 0, "held_cents": 0, "spent_cents": 0, "paid_in_cents": 0}
    user = session.execute(insert(users).values(name=name, **nothing).returning(users)).one()
    return deposit(session, user.id, balance_cents, deposit_id) if balance_cents else user


def get_user(session: Session, user_id: int) -> Row[Any]:
    """A customer.  Raises NotFound."""
    return _found(session.execute(select(users).where(users.c.id == user_id)).one_or_none(), user_id)


def list_users(session: Session, page: Page) -> Sequence[Row[Any]]:
    """Customers in the order of their ids."""
    return page.rows(session, users, "id")


def rename_user(session: Session, user_id: int, name: str) -> Row[Any]:
    """Change a customer's name.  Raises NotFound."""
    renamed = update(users).where(users.c.id == user_id).values(name=name).returning(users)
    return _found(session.execute(renamed).one_or_none(), user_id)


def delete_user(session: Session, user_id: int) -> None:
    """Close an account that was never used.  Raises NotFound, or Conflict when money or orders stand in its name."""
    unused = (users.c.paid_in_cents == 0, ~exists().where(holds.c.user_id == user_id))
    if remove(session, users, user_id, *unused):
        return
    user = get_user(session, user_id)
    why = f"{user.paid_in_cents} cents were paid in" if user.paid_in_cents else "orders were placed in this name"
    raise Conflict(f"user {user_id} stays on the books: {why}; to remove the name only, change it")


def deposit(session: Session, user_id: int, amount_cents: int, deposit_id: UUID) -> Row[Any]:
    """Pay money in, once for each deposit id.

    Raises NotFound, Conflict when the account can hold no more, or KeyReused when the id is that of another amount.
    """
    values = {"user_id": user_id, "amount_cents": amount_cents, "paid_in_at": now()}
    if not step.insert_once(session, deposits, id=deposit_id, **values):
        paid = session.execute(select(deposits.c.amount_cents).where(deposits.c.id == deposit_id)).scalar_one()
        if paid != amount_cents:
            raise KeyReused(f"this Idempotency-Key has paid in {paid} cents; choose a new one for another deposit")
        return get_user(session, user_id)
    paid = update(users).where(users.c.id == user_id, users.c.paid_in_cents <= MOST_PAID_IN_CENTS - amount_cents)
    user = session.execute(paid.values(
        balance_cents=users.c.balance_cents + amount_cents, paid_in_cents=users.c.paid_in_cents + amount_cents,
    ).returning(users)).one_or_none()
    if user is None:
        get_user(session, user_id)
        raise Conflict(f"user {user_id} has as much money as an account can hold")
    return user


def lock_accounts(session: Session, messages: Sequence[Message]) -> None:
    """Lock the accounts of all customers whom these messages are about, the smallest id first."""
    named = {message.user_id for message in messages if hasattr(message, "user_id")}
    whose = of_orders(session, holds.c.user_id, {message.order_id for message in messages})
    lock(session, users, named | whose)


def hold(session: Session, order_id: UUID, user_id: int, amount_cents: int) -> str | None:
    """Set money aside for an order, once; answers why not, where it cannot be."""
    if not step.begin(session, holds, order_id, "HELD", user_id=user_id, amount_cents=amount_cents):
        return step.refusal(session, holds, order_id, done=("HELD", "SPENT"))
    if transfer_if_enough(session, users, user_id, "balance_cents", "held_cents", amount_cents) is not None:
        return None
    # Locked, so that nobody who has been refused something, and so has a history, is deleted at this moment.
    known = session.execute(
        select(users.c.id).where(users.c.id == user_id).with_for_update(read=True, key_share=True)
    ).one_or_none()
    reason = f"user {user_id} has not enough money" if known else f"user {user_id} does not exist"
    step.amend(session, holds, order_id, "HELD", "REJECTED", reason=reason)
    return reason


def release(session: Session, order_id: UUID) -> None:
    """Give held money back, once; money never held is not to be held any more."""
    released = step.undo(session, holds, order_id, "HELD", "RELEASED")
    if released is not None:
        transfer(session, users, released.user_id, "held_cents", "balance_cents", released.amount_cents)


def spend(session: Session, order_id: UUID) -> None:
    """Turn held money into spent money, once."""
    spent = step.move(session, holds, order_id, "HELD", "SPENT")
    if spent is not None:
        transfer(session, users, spent.user_id, "held_cents", "spent_cents", spent.amount_cents)


def _found(user: Row[Any] | None, user_id: int) -> Row[Any]:
    if user is None:
        raise NotFound(f"user {user_id} does not exist")
    return user

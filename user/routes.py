"""The user service's HTTP side: customers and their deposits."""

from typing import Annotated
from uuid import uuid4

from fastapi import Header, Query

from patterns.shop import MAX_ID, order_id_for
from patterns.web import PathId, Router
from user import crud
from user.database import database
from user.schemas import Deposit, NewUser, User, UserChange

router = Router(prefix="/users", tags=["users"])


@router.post("", status_code=201)
def create_user(body: NewUser) -> User:
    """Open an account."""
    return User.model_validate(database.transact(crud.create_user, body.name, body.balance_cents, uuid4()))


@router.get("")
def list_users(
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0, limit: Annotated[int, Query(ge=1, le=100)] = 100
) -> list[User]:
    """Customers by id; ``after`` is the last id of the page before."""
    return [User.model_validate(row) for row in database.read(crud.list_users, after, limit)]


@router.get("/{user_id}")
def get_user(user_id: PathId) -> User:
    """One customer and their money."""
    return User.model_validate(database.read(crud.get_user, user_id))


@router.put("/{user_id}")
def update_user(user_id: PathId, body: UserChange) -> User:
    """Change a customer's name."""
    return User.model_validate(database.transact(crud.rename_user, user_id, body.name))


@router.delete("/{user_id}", status_code=204)
def delete_user(user_id: PathId) -> None:
    """Close an account that was never used; one in which money or orders stand stays on the books: 409."""
    database.transact(crud.delete_user, user_id)


@router.post("/{user_id}/deposits", status_code=201)
def deposit(
    user_id: PathId, body: Deposit, key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)] = None
) -> User:
    """Pay money in; with an Idempotency-Key a repeated request pays in once."""
    deposit_id = order_id_for(user_id, f"deposit:{key}") if key else uuid4()
    return User.model_validate(database.transact(crud.deposit, user_id, body.amount_cents, deposit_id))

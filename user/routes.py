"""The user service's HTTP side: customers and their deposits."""

from uuid import uuid4

from fastapi import Request, Response

from patterns.pages import NEXT_PAGE, ById
from patterns.shop import order_id_for
from patterns.shop_web import Key
from patterns.web import PathId, Router, location
from user import crud
from user.database import database
from user.schemas import Deposit, NewUser, User, UserChange

router = Router(prefix="/users", tags=["users"])


@router.post("", status_code=201)
def create_user(body: NewUser, request: Request, response: Response) -> User:
    """Open an account."""
    user = User.model_validate(database.transact(crud.create_user, body.name, body.balance_cents, uuid4()))
    response.headers.update(location(request, user.id))
    return user


@router.get("", responses=NEXT_PAGE)
def list_users(page: ById) -> list[User]:
    """Customers by id."""
    return [User.model_validate(row) for row in database.read(crud.list_users, page)]


@router.get("/{user_id}")
def get_user(user_id: PathId) -> User:
    """One customer and their money."""
    return User.model_validate(database.read(crud.get_user, user_id))


@router.put("/{user_id}")
def update_user(user_id: PathId, body: UserChange) -> User:
    """Change a customer's name."""
    return User.model_validate(database.transact(crud.rename_user, user_id, body.name))


@router.delete("/{user_id}", status_code=204, responses={
    409: {"description": "Money or orders stand in this name, so it stays on the books."},
})
def delete_user(user_id: PathId) -> None:
    """Close an account that was never used."""
    database.transact(crud.delete_user, user_id)


@router.post("/{user_id}/deposits", status_code=201, responses={
    409: {"description": "The account can hold no more money."},
    422: {"description": "The request makes no sense, or its Idempotency-Key was used for another amount."},
})
def deposit(user_id: PathId, body: Deposit, key: Key = None) -> User:
    """Pay money in; with an Idempotency-Key a repeated request pays in once."""
    deposit_id = order_id_for(user_id, f"deposit:{key}") if key else uuid4()
    return User.model_validate(database.transact(crud.deposit, user_id, body.amount_cents, deposit_id))

"""What clients of the user service send and get."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from patterns.web import Name, body

MAX_DEPOSIT_CENTS = 10**12

Amount = Annotated[StrictInt, Field(ge=1, le=MAX_DEPOSIT_CENTS)]


class NewUser(BaseModel):
    """A customer who opens an account, perhaps with money."""

    model_config = body({"name": "Ada", "balance_cents": 20_000})

    name: Name
    balance_cents: Annotated[StrictInt, Field(ge=0, le=MAX_DEPOSIT_CENTS)] = 0


class UserChange(BaseModel):
    """What may be changed of a customer; money only changes by deposits and orders."""

    model_config = body({"name": "Ada Lovelace"})

    name: Name


class Deposit(BaseModel):
    """Money paid in."""

    model_config = body({"amount_cents": 5_000})

    amount_cents: Amount


class User(BaseModel):
    """A customer: free, held and spent money always add up to what was paid in."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [{
        "id": 1, "name": "Ada", "balance_cents": 10_002, "held_cents": 0, "spent_cents": 9_998, "paid_in_cents": 20_000,
    }]})

    id: int
    name: str
    balance_cents: int
    held_cents: int
    spent_cents: int
    paid_in_cents: int

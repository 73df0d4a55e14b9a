"""What clients of the user service send and get."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from patterns.web import Text

MAX_DEPOSIT_CENTS = 10**12

Amount = Annotated[StrictInt, Field(ge=1, le=MAX_DEPOSIT_CENTS)]


class NewUser(BaseModel):
    """A customer who opens an account, perhaps with money."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    balance_cents: Annotated[StrictInt, Field(ge=0, le=MAX_DEPOSIT_CENTS)] = 0


class UserChange(BaseModel):
    """What may be changed of a customer; money only changes by deposits and orders."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=200)]


class Deposit(BaseModel):
    """Money paid in."""

    model_config = ConfigDict(extra="forbid")

    amount_cents: Amount


class User(BaseModel):
    """A customer: free, held and spent money always add up to what was paid in."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    balance_cents: int
    held_cents: int
    spent_cents: int
    paid_in_cents: int

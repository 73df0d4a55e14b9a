"""What clients of the product service send and get."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from patterns.shop import MAX_PRICE_CENTS
from patterns.web import Text

MAX_RESTOCK = 10**9

Name = Annotated[Text, Field(min_length=1, max_length=200)]
Price = Annotated[StrictInt, Field(ge=0, le=MAX_PRICE_CENTS)]


class NewProduct(BaseModel):
    """Something to sell, and how many of it there are."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    price_cents: Price
    quantity: Annotated[StrictInt, Field(ge=0, le=MAX_RESTOCK)] = 0


class ProductChange(BaseModel):
    """What may be changed of a product, all of it at once; goods only change by restocks and orders."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    price_cents: Price


class Restock(BaseModel):
    """Goods put on the shelf."""

    model_config = ConfigDict(extra="forbid")

    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_RESTOCK)]


class Product(BaseModel):
    """A product: goods on the shelf, reserved and sold always add up to what was put in."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    price_cents: int
    shelf: int
    reserved: int
    sold: int
    put_in: int

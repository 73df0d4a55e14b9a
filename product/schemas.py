"""What clients of the product service send and get."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from patterns.shop import MAX_PRICE_CENTS, PricedLine
from patterns.shop_examples import ORDER_ID
from patterns.web import Name, body

MAX_RESTOCK = 10**9

Price = Annotated[StrictInt, Field(ge=0, le=MAX_PRICE_CENTS)]
State = Literal["RESERVED", "REJECTED", "RELEASED", "SOLD", "VOID"]

GOODS = {"shelf": 8, "reserved": 0, "sold": 2, "put_in": 10}


class NewProduct(BaseModel):
    """Something to sell, and how many of it there are."""

    model_config = body({"name": "Chair", "price_cents": 4_999, "quantity": 10})

    name: Name
    price_cents: Price
    quantity: Annotated[StrictInt, Field(ge=0, le=MAX_RESTOCK)] = 0


class ProductChange(BaseModel):
    """What may be changed of a product, all of it at once; goods only change by restocks and orders."""

    model_config = body({"name": "Armchair", "price_cents": 5_999})

    name: Name
    price_cents: Price


class Restock(BaseModel):
    """Goods put on the shelf."""

    model_config = body({"quantity": 10})

    quantity: Annotated[StrictInt, Field(ge=1, le=MAX_RESTOCK)]


class Product(BaseModel):
    """A product: goods on the shelf, reserved and sold always add up to what was put in."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [
        {"id": 1, "name": "Chair", "price_cents": 4_999, **GOODS},
    ]})

    id: int
    name: str
    price_cents: int
    shelf: int
    reserved: int
    sold: int
    put_in: int


class Stock(BaseModel):
    """Where a product's goods are: on the shelf (to be had), reserved for orders, or sold."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [
        {"product_id": 1, "name": "Chair", **GOODS},
    ]})

    product_id: Annotated[int, Field(validation_alias="id")]
    name: str
    shelf: int
    reserved: int
    sold: int
    put_in: int


class Reservation(BaseModel):
    """What became of an order's goods; VOID where none were ever to be reserved.

    ``lines`` are the goods, at the prices they had when they were reserved, also after they were released.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "order_id": ORDER_ID, "state": "SOLD", "reason": None, "user_id": 1, "amount_cents": 9_998,
        "lines": [{"product_id": 1, "quantity": 2, "price_cents": 4_999}],
        "begun_at": 1795267889.25, "changed_at": 1795267889.5,
    }]})

    order_id: UUID
    state: State
    reason: str | None
    user_id: int | None
    amount_cents: int | None
    lines: tuple[PricedLine, ...]
    begun_at: float
    changed_at: float

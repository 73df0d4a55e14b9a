"""An order as clients write it, over HTTP or as a message: the shop's front door.

Several shapes are understood: one product (``product_id``, ``quantity``) or several lines (``items``); ``owner_id``
and ``customer_id`` are other names of ``user_id``; ``amount`` is what the client thinks it costs, as a decimal.
Unlike messages between services, it may hold no unknown field: a typing error should be heard of at once.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from patterns.message import Message
from patterns.settings import Mode
from patterns.shop import MAX_LINES, MAX_QUANTITY, Cents, Id, Line, order_id_for

NAMES_OF_USER = AliasChoices("user_id", "owner_id", "customer_id")


class RequestedLine(Line):
    """A line of an order as a client writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderRequest(BaseModel):
    """An order as a client writes it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True,
        json_schema_extra={"examples": [{"user_id": 1, "product_id": 1, "quantity": 2}]},
    )

    user_id: Id = Field(validation_alias=NAMES_OF_USER)
    lines: Annotated[tuple[RequestedLine, ...], Field(min_length=1, max_length=MAX_LINES, validation_alias="items")]
    amount_cents: Cents | None = None
    mode: Mode | None = None

    @model_validator(mode="before")
    @classmethod
    def _shapes(cls, data: Any) -> Any:
        """One product, or an amount in decimals: rewritten to what the fields say."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if "product_id" in data and "items" not in data:
            data["items"] = [{"product_id": data.pop("product_id"), "quantity": data.pop("quantity", 1)}]
        if "amount" in data and "amount_cents" not in data:
            data["amount_cents"] = _cents(data.pop("amount"))
        return data

    @field_validator("lines")
    @classmethod
    def _merged(cls, lines: tuple[RequestedLine, ...]) -> tuple[RequestedLine, ...]:
        """One line for each product, in the products' order: so every order locks products in the same order."""
        pieces: Counter[int] = Counter()
        for line in lines:
            pieces[line.product_id] += line.quantity
        if max(pieces.values()) > MAX_QUANTITY:
            raise ValueError(f"at most {MAX_QUANTITY} pieces of one product")
        return tuple(RequestedLine(product_id=product, quantity=pieces[product]) for product in sorted(pieces))


class PlaceOrder(Message):
    """A customer wants goods: an order request with its id and its mode decided."""

    user_id: Id
    lines: tuple[Line, ...]
    amount_cents: Cents | None = None
    mode: Mode

    @classmethod
    def received(cls, body: bytes, *, message_id: str, mode: str) -> Self:
        """Read what a client said: the same body as ``POST /orders`` takes."""
        request = OrderRequest.model_validate_json(body)
        return cls.of(request, key=message_id, mode=mode)

    @classmethod
    def body_model(cls) -> type[BaseModel]:
        """What clients say is an order request; its id and mode are decided when it is read."""
        return OrderRequest

    @classmethod
    def of(cls, request: OrderRequest, *, key: str, mode: str) -> Self:
        """The command for a request: the key decides the order's id, ``mode`` counts where the request names none."""
        return cls.model_validate({
            "order_id": order_id_for(request.user_id, key), "user_id": request.user_id, "lines": request.lines,
            "amount_cents": request.amount_cents, "mode": request.mode or mode,
        })


def _cents(amount: Any) -> int:
    """An amount such as ``"19.99"`` in cents.  Raises ValueError unless it is a whole number of them."""
    try:
        cents = Decimal(str(amount)) * 100 if not isinstance(amount, bool) else Decimal("NaN")
    except ArithmeticError:  # no number, or one beyond what Decimal can hold
        cents = Decimal("NaN")
    if not cents.is_finite() or abs(cents) >= 10**19 or cents != cents.to_integral_value():
        raise ValueError("amount must be a decimal with at most two places, such as 19.99")
    return int(cents)

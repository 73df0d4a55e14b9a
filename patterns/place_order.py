"""An order as clients write it, over HTTP or as a message: the shop's front door.

Several shapes are understood: one product (``product_id``, ``quantity``) or several lines (``items``); ``owner_id``
and ``customer_id`` are other names of ``user_id``; ``amount`` is what the client thinks it costs, as a decimal.
Unlike messages between services, it may hold no unknown field: a typing error should be heard of at once.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from patterns import strict_json
from patterns.message import Message
from patterns.settings import Mode
from patterns.shop import MAX_LINES, MAX_QUANTITY, Cents, Id, Line, order_id_for

NAMES_OF_USER = ("user_id", "owner_id", "customer_id")

AMOUNT = r"^[0-9]{1,16}(\.[0-9]{1,2})?$"

EXAMPLES: dict[str, dict[str, Any]] = {
    "one product": {"user_id": 1, "product_id": 1, "quantity": 2},
    "several lines": {"customer_id": 1, "items": [{"product_id": 1, "quantity": 2}, {"product_id": 2, "quantity": 1}]},
    "with what it should cost": {"owner_id": 1, "product_id": 1, "quantity": 2, "amount": "99.98"},
    "in a mode of its own": {"user_id": 1, "product_id": 2, "quantity": 1, "amount_cents": 1999, "mode": "saga"},
}


def _every_shape(schema: dict[str, Any]) -> None:
    """The JSON schema of all shapes; pydantic knows only the one that the others are rewritten to."""
    fields = schema["properties"]
    user, items = fields.pop("user_id"), fields.pop("items")
    line = {"type": "integer", "minimum": 1}
    schema["properties"] = {
        **{name: {**user, "title": name} for name in NAMES_OF_USER},
        "product_id": {**user, "title": "product_id"},
        "quantity": {**line, "maximum": MAX_QUANTITY, "default": 1},
        "items": {**items, "description": "Lines of one product are added up."},
        "amount": {
            "description": "What it should cost; if it does not, the order ends FAILED.",
            "anyOf": [{"type": "number", "minimum": 0, "maximum": 10**16, "multipleOf": 0.01},
                      {"type": "string", "pattern": AMOUNT}],
        },
        **fields,
    }
    del schema["required"]
    schema["allOf"] = [
        {"oneOf": [{"required": [name]} for name in NAMES_OF_USER]},
        {"oneOf": [{"required": ["product_id"]}, {"required": ["items"]}]},
        {"not": {"required": ["items", "quantity"]}},
        {"not": {"required": ["amount", "amount_cents"]}},
    ]
    schema["examples"] = list(EXAMPLES.values())


class RequestedLine(Line):
    """A line of an order as a client writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderRequest(BaseModel):
    """An order as a client writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_every_shape)

    user_id: Id = Field(validation_alias=AliasChoices(*NAMES_OF_USER))
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
    chosen_mode: Mode | None = None

    @classmethod
    def received(cls, body: bytes, *, message_id: str, mode: str) -> Self:
        """Read what a client said: the same body as ``POST /orders`` takes."""
        request = OrderRequest.model_validate(strict_json.loads(body))
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
            "amount_cents": request.amount_cents, "mode": request.mode or mode, "chosen_mode": request.mode,
        })

    @property
    def fingerprint(self) -> str:
        """The same for every way of writing the same order; a mode counts only if the client chose it.

        MESSAGING_MODE may change between a client's first try and its second.
        """
        return hashlib.sha256(self.model_dump_json(exclude={"order_id", "mode"}).encode()).hexdigest()


def _cents(amount: Any) -> int:
    """An amount such as ``"19.99"`` or ``19.99`` in cents.  Raises ValueError unless it is a whole number of them.

    What a client computed in binary may miss a cent by a hair (``3 * 0.19 == 0.5700000000000001``) and still means it.
    """
    if isinstance(amount, str) and re.fullmatch(AMOUNT, amount, re.ASCII):
        return int(Decimal(amount) * 100)
    if isinstance(amount, int | float) and not isinstance(amount, bool) and 0 <= amount <= 10**16:
        exactly = Decimal(str(amount)) * 100
        if abs(exactly - round(exactly)) <= Decimal("1e-6"):
            return round(exactly)
    raise ValueError("amount must be a decimal with at most two places, such as 19.99")

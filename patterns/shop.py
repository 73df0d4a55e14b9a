"""The shop's language: every message the services say to each other, once.

Commands order (``PlaceOrder``), events report (``OrderPlaced``); a refusal is an event of its own, never a flag.  The
flow they make is in ``docs/flows``.  Amounts are integer cents.  Types may only grow optional fields.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator

from patterns.message import Message
from patterns.settings import Mode
from patterns.sql import MAX_ID

SERVICES = ("user", "product", "order", "payment", "delivery", "notification")

MAX_PRICE_CENTS = 10**12
MAX_QUANTITY = 10**4
MAX_LINES = 100
# The largest order costs 10**18 cents and so fits a BIGINT: 100 lines x 10**4 pieces x 10**12 cents.

Id = Annotated[StrictInt, Field(ge=1, le=MAX_ID)]
Quantity = Annotated[StrictInt, Field(ge=1, le=MAX_QUANTITY)]
Cents = Annotated[StrictInt, Field(ge=0, le=MAX_PRICE_CENTS * MAX_QUANTITY * MAX_LINES)]

Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
"""Why not, in words a person can read, as long as the tables can hold."""

OrdersMode = Annotated[Mode | None, Field(exclude=True)]
"""The order's mode, where only the order service knows it; on the wire it is a header."""

Status = Literal["PROCESSING", "SUCCESS", "FAILED"]

_CUSTOMERS = uuid5(NAMESPACE_URL, "orderflow/orders")


def order_id_for(user_id: int, key: str) -> UUID:
    """The order that this customer means by this key (an Idempotency-Key or a message id): always the same one."""
    return uuid5(_CUSTOMERS, f"{user_id}:{key}")


class Line(BaseModel):
    """So many pieces of one product."""

    model_config = ConfigDict(frozen=True)

    product_id: Id
    quantity: Quantity


class PricedLine(Line):
    """A line with the price of one piece, in cents, as it was when the goods were reserved."""

    price_cents: Annotated[StrictInt, Field(ge=0, le=MAX_PRICE_CENTS)]


# -- commands: what clients say (``PlaceOrder`` stands in :mod:`patterns.place_order`)


class CancelOrder(Message):
    """A customer does not want the order any more, or its time is over."""

    reason: Reason = "cancelled by the customer"


class OrderStatus(Message):
    """How an order stands: the front doors' answer in mode rpc."""

    status: Status
    reason: str | None = None


# -- the way forward


class Priced(Message):
    """What every step on the way forward needs: whose order, which goods at which prices, how much in all."""

    user_id: Id
    lines: Annotated[tuple[PricedLine, ...], Field(min_length=1, max_length=MAX_LINES)]
    amount_cents: Cents

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.amount_cents != sum(line.price_cents * line.quantity for line in self.lines):
            raise ValueError("amount_cents is not what the lines cost together")
        return self

    @classmethod
    def after(cls, step: Priced) -> Self:
        """The next step of the same order."""
        return cls(order_id=step.order_id, user_id=step.user_id, lines=step.lines, amount_cents=step.amount_cents)


class OrderPlaced(Message):
    """A customer wants these goods; ``amount_cents``, if given, is what they think it costs."""

    user_id: Id
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=MAX_LINES)]
    amount_cents: Cents | None = None
    mode: OrdersMode = None


class StockReserved(Priced):
    """The goods are set aside, and this is what they cost."""


class FundsHeld(Priced):
    """The customer's money is set aside."""


class PaymentTaken(Priced):
    """The payment is captured."""


class DeliveryScheduled(Priced):
    """The parcel has its slot."""


class OrderConfirmed(Message):
    """The order is a success: goods count as sold, money as spent."""

    user_id: Id


# -- refusals: why, in words a person can read


class Refusal(Message):
    """A step could not be done."""

    reason: Reason


class StockRejected(Refusal):
    """There are not enough goods, or not such goods."""


class FundsRejected(Refusal):
    """There is not enough money, or no such customer."""


class PaymentFailed(Refusal):
    """The gateway declined the payment."""


class DeliveryFailed(Refusal):
    """The carrier takes no parcel there."""


class OrderFailed(Refusal):
    """The order failed, and this is why."""

    user_id: Id


class OrderCancelled(Refusal):
    """The order failed because nobody waits for it any more: whatever was done is undone."""

    user_id: Id
    mode: OrdersMode = None


# -- the way back: each says that a step is undone, or never happens


class DeliveryCancelled(Message):
    """No parcel will leave."""


class PaymentRefunded(Message):
    """No payment is captured."""


class FundsReleased(Message):
    """No money is held."""


class StockReleased(Message):
    """No goods are set aside."""

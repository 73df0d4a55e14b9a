"""What clients of the order service send (see :mod:`patterns.place_order`) and get."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from patterns.place_order import EXAMPLES, OrderRequest
from patterns.settings import Mode
from patterns.shop import Line, Status
from patterns.shop_examples import ORDER_ID

__all__ = ["EXAMPLES", "HistoryEntry", "Order", "OrderRequest", "Saga", "SagaState", "SagaStep", "SagaWithSteps"]

SagaState = Literal[
    "STARTED", "STOCK_RESERVED", "FUNDS_HELD", "PAYMENT_TAKEN", "COMPLETED", "COMPENSATING", "COMPENSATED"
]

TIMES = {"placed_at": 1795262400.25, "deadline_at": 1795262430.25, "settled_at": 1795262400.5, "undone_at": None}
ENDED = {"user_id": 1, "status": "SUCCESS", "reason": None, "saga_state": "COMPLETED", "amount_cents": 9998}


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(from_attributes=True, json_schema_extra={"examples": [values]})


class Order(BaseModel):
    """An order as it stands: PROCESSING until it is SUCCESS or FAILED, and then that for ever.

    Times are seconds since 1970.  A failed order is done with when all it had done is undone (``undone_at``).
    """

    model_config = _example(id=ORDER_ID, mode="rpc", lines=[{"product_id": 1, "quantity": 2}], **ENDED, **TIMES)

    id: UUID
    user_id: int
    mode: Mode
    status: Status
    reason: str | None
    saga_state: SagaState
    amount_cents: int | None
    lines: list[Line]
    placed_at: float
    deadline_at: float
    settled_at: float | None
    undone_at: float | None


class HistoryEntry(BaseModel):
    """One thing that happened to an order."""

    model_config = _example(happened_at=1795262400.25, event="OrderPlaced", saga_state="STARTED", reason=None)

    happened_at: float
    event: str
    saga_state: SagaState
    reason: str | None


class Saga(BaseModel):
    """The saga of an order in mode saga: how far the order service has led it.  Its id is the order's."""

    model_config = _example(id=ORDER_ID, order_id=ORDER_ID, **ENDED, **TIMES)

    id: UUID
    order_id: UUID = Field(validation_alias="id")
    user_id: int
    status: Status
    reason: str | None
    saga_state: SagaState
    amount_cents: int | None
    placed_at: float
    deadline_at: float
    settled_at: float | None
    undone_at: float | None


class SagaStep(BaseModel):
    """One step of a saga; UNDONE also when it was undone before it could be done."""

    model_config = _example(service="product", action="reserve_stock", state="DONE")

    service: str
    action: str
    state: Literal["NOT_DONE", "DONE", "REFUSED", "UNDONE"]


STEPS = (
    ("product", "reserve_stock", {"StockReserved": "DONE", "StockRejected": "REFUSED", "StockReleased": "UNDONE"}),
    ("user", "hold_funds", {"FundsHeld": "DONE", "FundsRejected": "REFUSED", "FundsReleased": "UNDONE"}),
    ("payment", "take_payment", {"PaymentTaken": "DONE", "PaymentFailed": "REFUSED", "PaymentRefunded": "UNDONE"}),
    ("delivery", "schedule_delivery",
     {"DeliveryScheduled": "DONE", "DeliveryFailed": "REFUSED", "DeliveryCancelled": "UNDONE"}),
)
"""The plan of a saga, and what each event says of its step."""


class SagaWithSteps(Saga):
    """A saga, what became of each of its steps, and everything that happened, in time."""

    model_config = _example(id=ORDER_ID, order_id=ORDER_ID, **ENDED, **TIMES, steps=[
        {"service": service, "action": action, "state": "DONE"} for service, action, _ in STEPS
    ], history=[HistoryEntry.model_config["json_schema_extra"]["examples"][0]])  # type: ignore[index]

    steps: list[SagaStep]
    history: list[HistoryEntry]

    @classmethod
    def of(cls, order: Mapping[str, Any], history: Sequence[Any]) -> Self:
        """The saga of an order with this history."""
        steps = [
            {"service": service, "action": action,
             "state": ([says[entry.event] for entry in history if entry.event in says] or ["NOT_DONE"])[-1]}
            for service, action, says in STEPS
        ]
        return cls.model_validate({**order, "steps": steps, "history": history})

"""What clients of the payment service get."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from patterns.shop_examples import ORDER_ID

State = Literal["TAKEN", "FAILED", "REFUNDED", "VOID"]


class Payment(BaseModel):
    """What became of an order's payment: TAKEN, FAILED, REFUNDED, or VOID where none was ever to be taken."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [{
        "order_id": ORDER_ID, "state": "TAKEN", "reason": None, "user_id": 1,
        "amount_cents": 9998, "begun_at": 1795267889.25, "changed_at": 1795267889.25,
    }]})

    order_id: UUID
    state: State
    reason: str | None
    user_id: int | None
    amount_cents: int | None
    begun_at: float
    changed_at: float

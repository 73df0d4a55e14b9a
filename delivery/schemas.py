"""What clients of the delivery service get."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from patterns.shop_examples import ORDER_ID

State = Literal["SCHEDULED", "FAILED", "CANCELLED", "VOID"]


class Delivery(BaseModel):
    """What became of an order's parcel: SCHEDULED, FAILED, CANCELLED, or VOID where none was ever to leave."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [{
        "order_id": ORDER_ID, "state": "SCHEDULED", "reason": None, "user_id": 1,
        "begun_at": 1795267889.25, "changed_at": 1795267889.25,
    }]})

    order_id: UUID
    state: State
    reason: str | None
    user_id: int | None
    begun_at: float
    changed_at: float

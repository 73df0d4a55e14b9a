"""What clients of the delivery service get."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Delivery(BaseModel):
    """What became of an order's parcel: SCHEDULED, FAILED, CANCELLED, or VOID where none was ever to leave."""

    model_config = ConfigDict(from_attributes=True)

    order_id: UUID
    state: str
    reason: str | None
    user_id: int | None
    changed_at: float

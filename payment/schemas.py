"""What clients of the payment service get."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Payment(BaseModel):
    """What became of an order's payment: TAKEN, FAILED, REFUNDED, or VOID where none was ever to be taken."""

    model_config = ConfigDict(from_attributes=True)

    order_id: UUID
    state: str
    reason: str | None
    user_id: int | None
    amount_cents: int | None
    changed_at: float

"""What clients of the notification service get."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Notification(BaseModel):
    """Something a customer was told about an order."""

    model_config = ConfigDict(from_attributes=True)

    order_id: UUID
    kind: str
    user_id: int
    text: str
    told_at: float

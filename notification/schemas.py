"""What clients of the notification service get."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from patterns.shop_examples import ORDER_ID


class Notification(BaseModel):
    """Something a customer was told about an order; ``kind`` is the event that it was told on."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [{
        "id": "0d9e2f4a-6b1c-5d8e-8f3a-7c5b1e2d4f60", "order_id": ORDER_ID,
        "kind": "OrderConfirmed", "user_id": 1, "text": "Your order is confirmed and on its way.",
        "told_at": 1795267889.25,
    }]})

    id: UUID
    order_id: UUID
    kind: str
    user_id: int
    text: str
    told_at: float

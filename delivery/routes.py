"""The delivery service's HTTP side: what became of an order's parcel."""

from uuid import UUID

from delivery import crud
from delivery.database import database
from delivery.schemas import Delivery
from patterns.web import Router

router = Router(prefix="/deliveries", tags=["deliveries"])


@router.get("/{order_id}")
def get_delivery(order_id: UUID) -> Delivery:
    """An order's parcel."""
    return Delivery.model_validate(database.read(crud.get_delivery, order_id))

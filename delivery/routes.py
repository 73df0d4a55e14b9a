"""The delivery service's HTTP side: what became of the orders' parcels."""

from delivery import crud
from delivery.database import database
from delivery.schemas import Delivery, State
from patterns.pages import NEXT_PAGE, NewestFirst
from patterns.shop_web import OfUser, OrderId
from patterns.web import Router

router = Router(prefix="/deliveries", tags=["deliveries"])


@router.get("", responses=NEXT_PAGE)
def list_deliveries(page: NewestFirst, state: State | None = None, user_id: OfUser = None) -> list[Delivery]:
    """Parcels, those of the newest orders first."""
    return [Delivery.model_validate(row) for row in database.read(crud.list_deliveries, page, state, user_id)]


@router.get("/{order_id}")
def get_delivery(order_id: OrderId) -> Delivery:
    """An order's parcel."""
    return Delivery.model_validate(database.read(crud.get_delivery, order_id))

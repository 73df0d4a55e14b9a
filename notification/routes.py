"""The notification service's HTTP side: what customers were told."""

from notification import crud
from notification.database import database
from notification.schemas import Notification
from patterns.pages import NEXT_PAGE, NewestFirst
from patterns.shop_web import OfOrder, OfUser
from patterns.web import Router

router = Router(prefix="/notifications", tags=["notifications"])


@router.get("", responses=NEXT_PAGE)
def list_notifications(page: NewestFirst, order_id: OfOrder = None, user_id: OfUser = None) -> list[Notification]:
    """What customers were told, the newest first."""
    rows = database.read(crud.list_notifications, page, order_id, user_id)
    return [Notification.model_validate(row) for row in rows]

"""The notification service's HTTP side: what customers were told."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from notification import crud
from notification.database import database
from notification.schemas import Notification
from patterns.web import Router

router = Router(prefix="/notifications", tags=["notifications"])


@router.get("")
def list_notifications(order_id: Annotated[UUID, Query()]) -> list[Notification]:
    """What was told about an order, in time."""
    return [Notification.model_validate(row) for row in database.read(crud.list_notifications, order_id)]

"""Verbs on the notification service's table.  Each takes a session and never commits."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row

from notification.models import notifications
from patterns.database import Session, now
from patterns.pages import Page
from patterns.step import insert_once


def tell(session: Session, order_id: UUID, kind: str, user_id: int, text: str) -> None:
    """Tell a customer something about an order, once for each kind of news."""
    once = {"id": uuid5(order_id, kind), "order_id": order_id, "kind": kind}
    insert_once(session, notifications, **once, user_id=user_id, text=text, told_at=now())


def list_notifications(
    session: Session, page: Page, order_id: UUID | None, user_id: int | None
) -> Sequence[Row[Any]]:
    """What was told, the newest first; to all, about an order, or to a customer."""
    return page.rows(session, notifications, "told_at", "id", order_id=order_id, user_id=user_id)

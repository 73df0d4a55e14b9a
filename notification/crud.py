"""Verbs on the notification service's table.  Each takes a session and never commits."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from notification.models import notifications
from patterns.database import Session, now
from patterns.step import insert_once


def tell(session: Session, order_id: UUID, kind: str, user_id: int, text: str) -> None:
    """Tell a customer something about an order, once for each kind of news."""
    insert_once(session, notifications, order_id=order_id, kind=kind, user_id=user_id, text=text, told_at=now())


def list_notifications(session: Session, order_id: UUID) -> list[Row[Any]]:
    """What was told about an order, in time."""
    told = select(notifications).where(notifications.c.order_id == order_id)
    return list(session.execute(told.order_by(notifications.c.told_at, notifications.c.kind)))

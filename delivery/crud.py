"""Verbs on the delivery service's table.  Each takes a session and never commits; each change carries its own guard."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from delivery.models import deliveries
from patterns import step
from patterns.database import Session
from patterns.errors import NotFound
from patterns.gateway import Verdict
from patterns.pages import Page


def schedule(session: Session, order_id: UUID, user_id: int, carrier: Verdict) -> str | None:
    """Give the parcel its slot, or note that the carrier refused, once; answers why not, where it has none."""
    state = "SCHEDULED" if carrier.accepted else "FAILED"
    if step.begin(session, deliveries, order_id, state, user_id=user_id, reason=carrier.reason):
        return carrier.reason
    return step.refusal(session, deliveries, order_id, done=("SCHEDULED",))


def cancel(session: Session, order_id: UUID) -> None:
    """Take a parcel's slot back, once; a parcel without one is to get none any more."""
    step.undo(session, deliveries, order_id, "SCHEDULED", "CANCELLED")


def list_deliveries(session: Session, page: Page, state: str | None, user_id: int | None) -> Sequence[Row[Any]]:
    """Parcels, those of the newest orders first; all, or those in a state, or a customer's."""
    return page.rows(session, deliveries, "begun_at", "order_id", state=state, user_id=user_id)


def get_delivery(session: Session, order_id: UUID) -> Row[Any]:
    """An order's parcel.  Raises NotFound."""
    parcel = session.execute(select(deliveries).where(deliveries.c.order_id == order_id)).one_or_none()
    if parcel is None:
        raise NotFound(f"order {order_id} has no delivery")
    return parcel

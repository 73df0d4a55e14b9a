"""Verbs on the payment service's table.  Each takes a session and never commits; each change carries its own guard."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from patterns import step
from patterns.database import Session
from patterns.errors import NotFound
from patterns.gateway import Verdict
from patterns.pages import Page
from payment.models import payments


def take(session: Session, order_id: UUID, user_id: int, amount_cents: int, verdict: Verdict) -> str | None:
    """Capture what the gateway authorised, or note that it declined, once; answers why not, where it was not."""
    state = "TAKEN" if verdict.accepted else "FAILED"
    values = {"user_id": user_id, "amount_cents": amount_cents, "reason": verdict.reason}
    if step.begin(session, payments, order_id, state, **values):
        return verdict.reason
    return step.refusal(session, payments, order_id, done=("TAKEN",))


def refund(session: Session, order_id: UUID) -> None:
    """Give a captured payment back, once; one never captured is not to be captured any more."""
    step.undo(session, payments, order_id, "TAKEN", "REFUNDED")


def list_payments(session: Session, page: Page, state: str | None, user_id: int | None) -> Sequence[Row[Any]]:
    """Payments, those of the newest orders first; all, or those in a state, or a customer's."""
    return page.rows(session, payments, "begun_at", "order_id", state=state, user_id=user_id)


def get_payment(session: Session, order_id: UUID) -> Row[Any]:
    """An order's payment.  Raises NotFound."""
    payment = session.execute(select(payments).where(payments.c.order_id == order_id)).one_or_none()
    if payment is None:
        raise NotFound(f"order {order_id} has no payment")
    return payment

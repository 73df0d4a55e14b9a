"""The payment service's HTTP side: what became of an order's payment."""

from uuid import UUID

from patterns.web import Router
from payment import crud
from payment.database import database
from payment.schemas import Payment

router = Router(prefix="/payments", tags=["payments"])


@router.get("/{order_id}")
def get_payment(order_id: UUID) -> Payment:
    """An order's payment."""
    return Payment.model_validate(database.read(crud.get_payment, order_id))

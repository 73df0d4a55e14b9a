"""The payment service's HTTP side: what became of the orders' payments."""

from patterns.pages import NEXT_PAGE, NewestFirst
from patterns.shop_web import OfUser, OrderId
from patterns.web import Router
from payment import crud
from payment.database import database
from payment.schemas import Payment, State

router = Router(prefix="/payments", tags=["payments"])


@router.get("", responses=NEXT_PAGE)
def list_payments(page: NewestFirst, state: State | None = None, user_id: OfUser = None) -> list[Payment]:
    """Payments, those of the newest orders first."""
    return [Payment.model_validate(row) for row in database.read(crud.list_payments, page, state, user_id)]


@router.get("/{order_id}")
def get_payment(order_id: OrderId) -> Payment:
    """An order's payment."""
    return Payment.model_validate(database.read(crud.get_payment, order_id))

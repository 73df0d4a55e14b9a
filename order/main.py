"""Run the order service: ``python main.py``, ``uvicorn order.main:app`` or ``orderflow serve order``."""

from order import crud
from order.database import database
from order.models import metadata
from order.mqlistener import WIRING, cancel, place_order
from order.routes import router, sagas
from patterns.serve import serve
from patterns.service import Service
from patterns.shop import CancelOrder
from patterns.web import create_app

OVERDUE_AT_ONCE = 100


def sweep_deadlines(service: Service) -> None:
    """Cancel every order whose deadline is over; safe at any time, since what is undone too early leaves a tombstone."""
    for order_id in service.database.read(crud.overdue, OVERDUE_AT_ONCE):
        wish = CancelOrder(order_id=order_id, reason="not settled before its deadline")
        service.perform(wish)


service = Service("order", database, metadata, WIRING, acts=(place_order, cancel), chores=(sweep_deadlines,))
app = create_app(service, "What was ordered, and how it ended.", router, sagas)

if __name__ == "__main__":
    serve("order", app)

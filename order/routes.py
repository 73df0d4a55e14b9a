"""The order service's HTTP side: place orders, see what becomes of them, cancel them."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Header, Request, Response

from order import crud
from order.database import database
from order.schemas import HistoryEntry, Order, OrderRequest
from patterns.envelope import TRACEPARENT
from patterns.place_order import PlaceOrder
from patterns.service import Service
from patterns.settings import settings
from patterns.shop import CancelOrder
from patterns.web import Router, location

router = Router(prefix="/orders", tags=["orders"])

Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]

Trace = Annotated[str | None, Header(pattern=f"^{TRACEPARENT}$")]


@router.post("", status_code=202, responses={201: {"model": Order, "description": "Mode rpc: the order is settled."}})
def place(
    body: OrderRequest, request: Request, response: Response, key: Key = None, traceparent: Trace = None
) -> Order:
    """Place an order; it settles by itself.

    In mode rpc the answer is the final one (201, also for FAILED) unless that takes too long; else 202: look again at
    the Location.  With an Idempotency-Key a repeated request is the same order: 200 once it is settled.
    """
    service: Service = request.app.state.service
    order = PlaceOrder.of(body, key=key or str(uuid4()), mode=settings().messaging_mode)
    is_new = bool(service.perform(order, wait=True, traceparent=traceparent))
    placed = _order(order.order_id)
    if placed.status != "PROCESSING":
        response.status_code = 201 if is_new and order.mode == "rpc" else 200
    response.headers.update(location(request, placed.id))
    return placed


@router.get("/{order_id}")
def get_order(order_id: UUID) -> Order:
    """One order as it stands."""
    return _order(order_id)


@router.get("/{order_id}/history")
def get_history(order_id: UUID) -> list[HistoryEntry]:
    """What happened to an order, in time."""
    return [HistoryEntry.model_validate(row) for row in database.read(crud.get_history, order_id)]


@router.post("/{order_id}/cancel")
def cancel_order(order_id: UUID, request: Request) -> Order:
    """Cancel an order that is not settled; what was done for it is undone.  A failed one stays failed: 200."""
    service: Service = request.app.state.service
    _order(order_id)
    service.perform(CancelOrder(order_id=order_id))
    database.read(crud.must_not_be_a_success, order_id)
    return _order(order_id)


def _order(order_id: UUID) -> Order:
    return Order.model_validate(database.read(crud.get_order, order_id))

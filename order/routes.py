"""The order service's HTTP side: place orders, see what becomes of them, cancel and delete them; and the sagas."""

import re
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Body, Header, Request, Response

from order import crud
from order.database import database
from order.schemas import EXAMPLES, HistoryEntry, Order, OrderRequest, Saga, SagaState, SagaWithSteps
from patterns.database import Session
from patterns.envelope import TRACEPARENT
from patterns.errors import Conflict
from patterns.pages import NEXT_PAGE, NewestFirst
from patterns.place_order import PlaceOrder
from patterns.prefer import preferred_wait
from patterns.service import Service
from patterns.settings import Mode, settings
from patterns.shop import CancelOrder, Status
from patterns.shop_web import Key, OfUser, OrderId
from patterns.turns import Arrived, in_turn
from patterns.waiting import Seat
from patterns.web import Router, location

router = Router(prefix="/orders", tags=["orders"])
sagas = Router(prefix="/sagas", tags=["sagas"])

Wish = Annotated[OrderRequest, Body(openapi_examples={name: {"value": value} for name, value in EXAMPLES.items()})]
Trace = Annotated[str | None, Header(description="W3C trace context, passed on with every message; ignored if malformed.")]
Prefer = Annotated[list[str] | None, Header(
    description="`wait=10` (RFC 7240): answer once the order has ended, or after so many seconds.",
)]

GONE: dict[int | str, dict[str, Any]] = {410: {"description": "The order is deleted."}}
WHERE = {"Location": {"description": "Where the order is.", "schema": {"type": "string"}}}
WAITED = {"Preference-Applied": {"description": "The wait that was granted.", "schema": {"type": "string"}}}
PLACED: dict[int | str, dict[str, Any]] = GONE | {
    200: {"model": Order, "description": "This key's order was placed before, and has ended.", "headers": WHERE | WAITED},
    201: {"model": Order, "description": "Placed, and it has ended: SUCCESS or FAILED.", "headers": WHERE | WAITED},
    202: {"description": "It is under way; look again at the Location.", "headers": WHERE | WAITED},
}


@router.post("", status_code=202, responses=PLACED)
@in_turn
def place(
    body: Wish, request: Request, response: Response, arrived: Arrived,
    key: Key = None, traceparent: Trace = None, prefer: Prefer = None,
) -> Order:
    """Place an order; it settles by itself.

    In mode rpc the answer is the final one (201, also for FAILED) unless that takes longer than RPC_WAIT_SECONDS.  In
    the others, and then, it is 202: look again at the Location.  With `Prefer: wait=SECONDS` it is the final one in every
    mode, if it comes in time.  With an Idempotency-Key a repeated request is the same order, as it is now.
    """
    service: Service = request.app.state.service
    order = PlaceOrder.of(body, key=key or str(uuid4()), mode=settings().messaging_mode)
    trace = traceparent if re.fullmatch(TRACEPARENT, traceparent or "") else None
    with service.waiting.seat(preferred_wait(prefer or ()), arrived) as seat:
        until = arrived + settings().rpc_wait_seconds if seat is None else seat.until
        is_new, placed = _placed(service, order, until, trace)
        if seat is not None:
            placed = _ended(service, order.order_id, seat, response)
    if placed.status != "PROCESSING":
        response.status_code = 201 if is_new else 200
    response.headers.update(location(request, placed.id))
    return placed


@router.get("", responses=NEXT_PAGE)
def list_orders(
    page: NewestFirst, status: Status | None = None, user_id: OfUser = None, mode: Mode | None = None
) -> list[Order]:
    """Orders, the newest first."""
    found = database.read(crud.list_orders, page, {"status": status, "user_id": user_id, "mode": mode})
    return list(page.cut([Order.model_validate(order) for order in found], "placed_at", "id"))


@router.get("/{order_id}", responses=GONE)
def get_order(order_id: OrderId) -> Order:
    """One order as it stands."""
    return _order(order_id)


@router.delete("/{order_id}", status_code=204, response_class=Response, responses=GONE | {
    409: {"description": "It is not settled, or what it had done is not undone yet."},
})
def delete_order(order_id: OrderId) -> None:
    """Hide an order that is done with: a success, or a failure that is undone.  Its key is not free again: 410."""
    database.transact(crud.delete_order, order_id)


@router.get("/{order_id}/history", responses=GONE)
def get_history(order_id: OrderId) -> list[HistoryEntry]:
    """What happened to an order, in time."""
    return [HistoryEntry.model_validate(row) for row in database.read(crud.get_history, order_id)]


@router.post("/{order_id}/cancel", responses=GONE | {409: {"description": "It is a SUCCESS already."}})
def cancel_order(order_id: OrderId, request: Request) -> Order:
    """Cancel an order that is not settled; what was done for it is undone.  A failed one stays failed: 200."""
    service: Service = request.app.state.service
    _order(order_id)
    service.perform(CancelOrder(order_id=order_id))
    order = _order(order_id)
    if order.status == "SUCCESS":
        raise Conflict(f"order {order_id} is a SUCCESS; it can no longer be cancelled")
    return order


@sagas.get("", responses=NEXT_PAGE)
def list_sagas(page: NewestFirst, status: Status | None = None, saga_state: SagaState | None = None) -> list[Saga]:
    """The sagas of orders in mode saga, the newest first."""
    found = database.read(crud.list_orders, page, {"mode": "saga", "status": status, "saga_state": saga_state})
    return list(page.cut([Saga.model_validate(order) for order in found], "placed_at", "id"))


@sagas.get("/{saga_id}", responses=GONE)
def get_saga(saga_id: OrderId) -> SagaWithSteps:
    """One saga with its steps; its id is the order's."""
    return SagaWithSteps.of(*database.read(crud.get_saga, saga_id))


@sagas.get("/order/{order_id}", responses=GONE)
def get_saga_of_order(order_id: OrderId) -> SagaWithSteps:
    """The saga of an order."""
    return SagaWithSteps.of(*database.read(crud.get_saga, order_id))


def _order(order_id: UUID) -> Order:
    return Order.model_validate(database.read(crud.get_order, order_id))


def _placed(service: Service, order: PlaceOrder, until: float, trace: str | None) -> tuple[bool, Order]:
    """Place an order: whether it is new, and how it stands."""
    seen: dict[str, Any] = {}

    def look(session: Session) -> None:
        seen.update(crud.get_order(session, order.order_id, order.lines))

    is_new = bool(service.perform(order, wait=True, until=until, traceparent=trace, look=look))
    # In rpc it has come further since: its questions were asked, and answered.
    return is_new, _order(order.order_id) if order.mode == "rpc" else Order.model_validate(seen)


def _ended(service: Service, order_id: UUID, seat: Seat, response: Response) -> Order:
    response.headers["Preference-Applied"] = f"wait={seat.seconds}"
    return service.waiting.until(seat, order_id, lambda: _order(order_id), lambda order: order.status != "PROCESSING")

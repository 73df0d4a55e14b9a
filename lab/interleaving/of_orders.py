"""Transactions that meet at an order's own row, at its payment, its parcel, its news; relays that meet at the outbox."""

from __future__ import annotations

from sqlalchemy import update

from lab.interleaving.of_money import A, B, success, wants
from lab.interleaving.scenarios import Act, Scenario, does, hears, performs
from lab.interleaving.stage import Stage
from order import crud
from patterns.journal import outbox
from patterns.place_order import OrderRequest, PlaceOrder
from patterns.shop import (
    CancelOrder,
    DeliveryCancelled,
    DeliveryFailed,
    DeliveryScheduled,
    FundsHeld,
    FundsRejected,
    OrderCancelled,
    OrderFailed,
    PaymentTaken,
    StockRejected,
    StockReleased,
)

ORDER_MODES = ("rpc", "saga", "topic")


def order(mode: str, quantity: int = 1) -> PlaceOrder:
    """What a client asks for, always under the same key."""
    request = OrderRequest.model_validate({"user_id": 1, "product_id": 1, "quantity": quantity})
    return PlaceOrder.of(request, key="a key", mode=mode)


X = order("topic").order_id
PARCEL = DeliveryScheduled.after(wants(X))
CANCEL = CancelOrder(order_id=X)
OVERDUE = CancelOrder(order_id=X, reason="not settled before its deadline")


def place(quantity: int = 1) -> Act:
    """A client places the order."""
    return lambda stage: stage.perform(order(stage.mode, quantity))


def sweep(stage: Stage) -> None:
    """A relay's round."""
    stage.sweep()


def prune(stage: Stage) -> None:
    """A relay's minute."""
    stage.prune()


def all_due(stage: Stage) -> None:
    """As if whoever said it had died before it was published."""
    stage.do(lambda session: session.execute(update(outbox).values(sent_at=None, due_at=0)).rowcount)
    stage.link.published.clear()


def no_goods() -> StockRejected:
    """There are no goods."""
    return StockRejected(order_id=X, reason="not enough")


OF_ORDERS = (
    Scenario("one order placed twice", "order", (place(), place()), (), ORDER_MODES),
    Scenario("one key for two orders", "order", (place(), place(2)), (), ("topic",)),
    Scenario("confirmed or cancelled", "order", (hears(PARCEL), performs(CANCEL)), (place(),), ORDER_MODES),
    Scenario("confirmed or overdue", "order", (hears(PARCEL), performs(OVERDUE)), (place(),), ORDER_MODES),
    Scenario("confirmed under two ids", "order", (hears(PARCEL), hears(PARCEL, again="1")), (place(),), ORDER_MODES),
    Scenario("cancelled and overdue", "order", (performs(CANCEL), performs(OVERDUE)), (place(),), ORDER_MODES),
    Scenario("failed or cancelled", "order", (hears(no_goods()), performs(CANCEL)), (place(),), ORDER_MODES),
    Scenario("the undo's end overtakes the failure", "order",
             (hears(FundsRejected(order_id=X, reason="no money")), hears(StockReleased(order_id=X))),
             (place(),), ORDER_MODES),
    Scenario("cancelled while all is undone", "order", (performs(CANCEL), hears(StockReleased(order_id=X))), (place(),),
             ORDER_MODES),
    Scenario("on its way and cancelled", "order", (hears(FundsHeld.after(wants(X))), performs(CANCEL)), (place(),),
             ("rpc", "saga")),
    Scenario("placed and cancelled at once", "order", (place(), performs(CANCEL)), (), ORDER_MODES),
    Scenario("deleted and cancelled", "order", (does(crud.delete_order, X), performs(CANCEL)), (place(),), ("topic",)),
    Scenario("deleted and confirmed", "order", (does(crud.delete_order, X), hears(PARCEL)), (place(),), ("topic",)),
    Scenario("deleted and placed again", "order",
             (does(crud.delete_order, X), place()), (place(), hears(PARCEL)), ("topic",)),
    Scenario("confirmed, cancelled and overdue", "order", (hears(PARCEL), performs(CANCEL), performs(OVERDUE)), (place(),),
             ORDER_MODES),
    Scenario("failed, cancelled and all undone", "order",
             (hears(DeliveryFailed(order_id=X, reason="no parcel")), performs(CANCEL), hears(StockReleased(order_id=X))),
             (place(),), ("topic",)),
)

TAKE, REFUND = hears(FundsHeld.after(wants(A))), hears(DeliveryCancelled(order_id=A))
TAKE_AGAIN, REFUND_AGAIN = hears(FundsHeld.after(wants(A)), again="1"), hears(DeliveryFailed(order_id=A, reason="no"))
SCHEDULE, UNSCHEDULE = hears(PaymentTaken.after(wants(A))), hears(OrderCancelled(order_id=A, reason="no", user_id=1))

OF_STEPS = (
    Scenario("one payment, delivered twice", "payment", (TAKE, TAKE)),
    Scenario("one payment under two ids", "payment", (TAKE, TAKE_AGAIN)),
    Scenario("a payment and its refund", "payment", (TAKE, REFUND)),
    Scenario("two refunds", "payment", (REFUND, REFUND_AGAIN), (TAKE,)),
    Scenario("two payments and a refund", "payment", (TAKE, TAKE_AGAIN, REFUND)),
    Scenario("one parcel, delivered twice", "delivery", (SCHEDULE, SCHEDULE)),
    Scenario("a parcel under two ids", "delivery", (SCHEDULE, hears(PaymentTaken.after(wants(A)), again="1"))),
    Scenario("a parcel and its cancellation", "delivery", (SCHEDULE, UNSCHEDULE)),
    Scenario("a parcel under two ids, cancelled", "delivery",
             (SCHEDULE, hears(PaymentTaken.after(wants(A)), again="1"), UNSCHEDULE)),
    Scenario("one piece of news, told twice", "notification", (hears(success(A)), hears(success(A), again="1"))),
    Scenario("two batches with the same news", "notification",
             (hears(success(A), success(B)), hears(OrderFailed(order_id=B, reason="no", user_id=1), success(A)))),
)

OF_RELAYS = (
    Scenario("two relays", "payment", (sweep, sweep),
             (TAKE, hears(DeliveryCancelled(order_id=B)), all_due), as_serial=False),
    Scenario("three relays", "payment", (sweep, sweep, sweep),
             (TAKE, hears(DeliveryCancelled(order_id=B)), all_due), as_serial=False),
    Scenario("a relay and a handler", "payment", (sweep, hears(DeliveryCancelled(order_id=B))), (TAKE, all_due), ("topic",),
             as_serial=False),
    Scenario("a request asked again and its answer", "order", (sweep, hears(no_goods())), (place(), all_due), ("rpc",),
             as_serial=False),
    Scenario("one answer, arrived twice", "order", (hears(no_goods()), hears(no_goods())), (place(),), ("rpc",)),
    # Two tables are pruned by two statements: what comes between them may keep a row of one and lose that of the other.
    Scenario("pruned while it comes again", "payment", (prune, TAKE), (TAKE,), as_serial=False),
    Scenario("two relays prune", "payment", (prune, prune), (TAKE, hears(DeliveryCancelled(order_id=B)))),
)

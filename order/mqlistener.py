"""What the order service does when a message arrives, and its order flow in every messaging style."""

from order import crud
from order import rabbitmq as mq
from patterns.address import Answer, Direct, Fanout, Queue, Rpc, Topic, saga_command, saga_event
from patterns.database import Session
from patterns.place_order import PlaceOrder
from patterns.shop import (
    CancelOrder,
    DeliveryCancelled,
    DeliveryFailed,
    DeliveryScheduled,
    FundsHeld,
    FundsRejected,
    FundsReleased,
    OrderCancelled,
    OrderConfirmed,
    OrderFailed,
    OrderPlaced,
    OrderStatus,
    PaymentFailed,
    PaymentRefunded,
    PaymentTaken,
    StockRejected,
    StockReleased,
    StockReserved,
)
from patterns.wiring import Wiring, at, to

# -- what clients ask for


def place_order(session: Session, order: PlaceOrder) -> OrderPlaced | None:
    """Accept an order; one that is known already changes nothing."""
    if not crud.place(session, order):
        return None
    return OrderPlaced(
        order_id=order.order_id, user_id=order.user_id, lines=order.lines, amount_cents=order.amount_cents,
        mode=order.mode,
    )


def cancel(session: Session, wish: CancelOrder) -> OrderCancelled | None:
    """End an order that nobody waits for any more; one that has ended stays as it is."""
    order = crud.fail(session, wish.order_id, "OrderCancelled", wish.reason, undone=False)
    if order is None:
        return None
    return OrderCancelled(order_id=wish.order_id, reason=wish.reason, user_id=order.user_id, mode=order.mode)


def place_order_and_tell(session: Session, order: PlaceOrder) -> tuple[OrderPlaced | OrderStatus, ...]:
    """Accept an order, and answer at once how it stands."""
    placed = place_order(session, order)
    return (*([placed] if placed else []), crud.status(session, order.order_id))


def cancel_and_tell(session: Session, wish: CancelOrder) -> tuple[OrderCancelled | OrderStatus, ...]:
    """Cancel an order if it can be, and answer at once how it stands."""
    cancelled = cancel(session, wish)
    return (*([cancelled] if cancelled else []), crud.status(session, wish.order_id))


# -- how an order ends: the order's row decides, the loser of a race says nothing


def confirm(session: Session, parcel: DeliveryScheduled) -> OrderConfirmed | None:
    """Everything is done: the order is a success, and from here on cannot fail."""
    order = crud.succeed(session, parcel.order_id, parcel.type, parcel.amount_cents)
    return None if order is None else OrderConfirmed(order_id=parcel.order_id, user_id=order.user_id)


def fail(
    session: Session, refusal: StockRejected | FundsRejected | PaymentFailed | DeliveryFailed
) -> OrderFailed | None:
    """A step was refused: the order fails.  After StockRejected there is nothing to undo."""
    undone = isinstance(refusal, StockRejected)
    order = crud.fail(session, refusal.order_id, refusal.type, refusal.reason, undone=undone)
    if order is None:
        return None
    return OrderFailed(order_id=refusal.order_id, reason=refusal.reason, user_id=order.user_id)


def close(session: Session, back: StockReleased) -> None:
    """The last step is undone: note it; the status stays."""
    crud.close(session, back.order_id, back.type)


# -- the orchestrator's part, in the central modes: pass each answer on to whom it concerns next

REACHED: dict[type, str] = {StockReserved: "STOCK_RESERVED", FundsHeld: "FUNDS_HELD", PaymentTaken: "PAYMENT_TAKEN"}


def advance(
    session: Session, done: StockReserved | FundsHeld | PaymentTaken
) -> StockReserved | FundsHeld | PaymentTaken | None:
    """A step is done: on to the next, unless the order has ended meanwhile."""
    return done if crud.progress(session, done.order_id, done.type, REACHED[type(done)]) else None


def fail_and_unwind(
    session: Session, refusal: StockRejected | FundsRejected | PaymentFailed | DeliveryFailed
) -> tuple[OrderFailed | FundsRejected | PaymentFailed | DeliveryFailed, ...]:
    """A step was refused: the order fails, and the step before is told to let go."""
    failed = fail(session, refusal)
    if failed is None:
        return ()
    return (failed,) if isinstance(refusal, StockRejected) else (failed, refusal)


def unwind(
    session: Session, undone: DeliveryCancelled | PaymentRefunded | FundsReleased
) -> DeliveryCancelled | PaymentRefunded | FundsReleased:
    """A step is undone: on to the one before it, always."""
    crud.note(session, undone.order_id, undone.type, crud.COMPENSATING)
    return undone


NOTICES = (OrderPlaced, PaymentTaken, OrderConfirmed, OrderFailed, OrderCancelled)

WIRING = {
    "rpc": Wiring(  # we ask; answers come back to us, and passing them on is asking the next
        hears=(
            (mq.RPC_CREATE, place_order_and_tell), (mq.RPC_CANCEL, cancel_and_tell),
            *at(Answer(), advance, confirm, fail_and_unwind, unwind, close),
        ),
        says=(
            (OrderPlaced, Rpc("product_stock_update")), (StockReserved, Rpc("user_check")),
            (FundsHeld, Rpc("payment_process")), (PaymentTaken, Rpc("delivery_schedule")),
            *to(Rpc("delivery_cancel"), OrderCancelled), *to(Rpc("payment_refund"), DeliveryFailed, DeliveryCancelled),
            *to(Rpc("user_release"), PaymentFailed, PaymentRefunded),
            *to(Rpc("product_stock_release"), FundsRejected, FundsReleased),
            (OrderConfirmed, Queue("product_stock_sell")), (OrderConfirmed, Queue("user_spend")),
            *to(Queue("notification_notify"), *NOTICES),
        ),
    ),
    "default": Wiring(
        hears=((mq.CREATE, place_order), *at(mq.UPDATE, confirm, fail, close, cancel)),
        says=(
            (OrderPlaced, Queue("product.reserve")), (OrderCancelled, Queue("delivery.cancel")),
            (OrderConfirmed, Queue("product.sell")), (OrderConfirmed, Queue("user.spend")),
            *to(Queue("notification.notify"), OrderPlaced, OrderConfirmed, OrderFailed, OrderCancelled),
        ),
    ),
    "fanout": Wiring(
        hears=(
            *at(Fanout("EX_DELIVERY"), confirm, fail), *at(Fanout("EX_PRODUCT"), fail, close),
            (Fanout("EX_USER"), fail), (Fanout("EX_PAYMENT"), fail),
        ),
        says=to(mq.EX_ORDER, OrderPlaced, OrderConfirmed, OrderFailed, OrderCancelled),
    ),
    "direct": Wiring(
        hears=(
            (Direct("delivery.scheduled"), confirm), (Direct("inventory.rejected"), fail),
            (Direct("funds.rejected"), fail), (Direct("payment.failed"), fail), (Direct("delivery.failed"), fail),
            (Direct("inventory.released"), close),
        ),
        says=(
            (OrderPlaced, Direct("order.created")), (OrderConfirmed, Direct("order.confirmed")),
            (OrderFailed, Direct("order.failed")), (OrderCancelled, Direct("order.cancelled")),
        ),
    ),
    "topic": Wiring(
        hears=(
            (Topic("delivery.scheduled"), confirm), (Topic("*.rejected"), fail), (Topic("*.failed"), fail),
            (Topic("stock.released"), close),
        ),
        says=(
            (OrderPlaced, Topic("order.placed")), (OrderConfirmed, Topic("order.confirmed")),
            (OrderFailed, Topic("order.failed")), (OrderCancelled, Topic("order.cancelled")),
        ),
    ),
    "saga": Wiring(  # we command; every participant's event comes to us
        hears=(
            (saga_event("product", "reserve_stock"), advance), (saga_event("user", "hold_funds"), advance),
            (saga_event("payment", "take_payment"), advance), (saga_event("delivery", "schedule_delivery"), confirm),
            (saga_event("*", "*", "failure"), fail_and_unwind),
            (saga_event("delivery", "cancel_delivery"), unwind), (saga_event("payment", "refund_payment"), unwind),
            (saga_event("user", "release_funds"), unwind), (saga_event("product", "release_stock"), close),
        ),
        says=(
            (OrderPlaced, saga_command("product", "reserve_stock")), (StockReserved, saga_command("user", "hold_funds")),
            (FundsHeld, saga_command("payment", "take_payment")),
            (PaymentTaken, saga_command("delivery", "schedule_delivery")),
            *to(saga_command("delivery", "cancel_delivery"), OrderCancelled),
            *to(saga_command("payment", "refund_payment"), DeliveryFailed, DeliveryCancelled),
            *to(saga_command("user", "release_funds"), PaymentFailed, PaymentRefunded),
            *to(saga_command("product", "release_stock"), FundsRejected, FundsReleased),
            (OrderConfirmed, saga_command("product", "sell_stock")), (OrderConfirmed, saga_command("user", "spend_funds")),
            *to(saga_command("notification", "notify"), *NOTICES),
        ),
    ),
}

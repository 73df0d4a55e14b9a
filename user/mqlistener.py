"""What the user service does when a message arrives, and its order flow in every messaging style."""

from patterns.address import Direct, Fanout, Queue, Topic, saga_command, saga_event
from patterns.database import Session
from patterns.shop import (
    FundsHeld,
    FundsRejected,
    FundsReleased,
    OrderConfirmed,
    PaymentFailed,
    PaymentRefunded,
    StockReserved,
)
from patterns.wiring import Wiring
from user import crud
from user import rabbitmq as mq


def hold_funds(session: Session, goods: StockReserved) -> FundsHeld | FundsRejected:
    """Set the customer's money aside, or say why it cannot be."""
    refused = crud.hold(session, goods.order_id, goods.user_id, goods.amount_cents)
    return FundsHeld.after(goods) if refused is None else FundsRejected(order_id=goods.order_id, reason=refused)


def release_funds(session: Session, undone: PaymentFailed | PaymentRefunded) -> FundsReleased:
    """Give the money back; where none is held, see to it that none will be."""
    crud.release(session, undone.order_id)
    return FundsReleased(order_id=undone.order_id)


def spend_funds(session: Session, success: OrderConfirmed) -> None:
    """The order is a success: held money counts as spent."""
    crud.spend(session, success.order_id)


WIRING = {
    "rpc": Wiring(  # no addresses for answers: they go back to the asker
        hears=((mq.RPC_CHECK, hold_funds), (mq.RPC_RELEASE, release_funds), (mq.RPC_SPEND, spend_funds)),
    ),
    "default": Wiring(
        hears=((mq.HOLD, hold_funds), (mq.RELEASE, release_funds), (mq.SPEND, spend_funds)),
        says=(
            (FundsHeld, Queue("payment.process")),
            (FundsRejected, Queue("order.update")), (FundsRejected, Queue("product.release")),
            (FundsReleased, Queue("product.release")),
        ),
    ),
    "fanout": Wiring(
        hears=(
            (Fanout("EX_PRODUCT"), hold_funds), (Fanout("EX_PAYMENT"), release_funds), (Fanout("EX_ORDER"), spend_funds),
        ),
        says=((FundsHeld, mq.EX_USER), (FundsRejected, mq.EX_USER), (FundsReleased, mq.EX_USER)),
    ),
    "direct": Wiring(
        hears=(
            (Direct("inventory.updated"), hold_funds), (Direct("payment.failed"), release_funds),
            (Direct("payment.refunded"), release_funds), (Direct("order.confirmed"), spend_funds),
        ),
        says=(
            (FundsHeld, Direct("funds.held")), (FundsRejected, Direct("funds.rejected")),
            (FundsReleased, Direct("funds.released")),
        ),
    ),
    "topic": Wiring(
        hears=(
            (Topic("stock.reserved"), hold_funds), (Topic("payment.failed"), release_funds),
            (Topic("payment.refunded"), release_funds), (Topic("order.confirmed"), spend_funds),
        ),
        says=(
            (FundsHeld, Topic("funds.held")), (FundsRejected, Topic("funds.rejected")),
            (FundsReleased, Topic("funds.released")),
        ),
    ),
    "saga": Wiring(
        hears=(
            (saga_command("user", "hold_funds"), hold_funds), (saga_command("user", "release_funds"), release_funds),
            (saga_command("user", "spend_funds"), spend_funds),
        ),
        says=(
            (FundsHeld, saga_event("user", "hold_funds")), (FundsRejected, saga_event("user", "hold_funds", "failure")),
            (FundsReleased, saga_event("user", "release_funds")),
        ),
    ),
}

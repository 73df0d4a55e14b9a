"""What the payment service does when a message arrives, and its order flow in every messaging style."""

from patterns import gateway
from patterns.address import Direct, Fanout, Queue, Topic, saga_command, saga_event
from patterns.database import Session
from patterns.gateway import Verdict
from patterns.shop import (
    DeliveryCancelled,
    DeliveryFailed,
    FundsHeld,
    PaymentFailed,
    PaymentRefunded,
    PaymentTaken,
)
from patterns.wiring import Wiring
from payment import crud
from payment import rabbitmq as mq


def ask_gateway(money: FundsHeld) -> Verdict:
    """Before the transaction: may this be taken?  The gateway only authorises; the committed TAKEN row captures."""
    return gateway.authorise(money.order_id)


def take_payment(session: Session, money: FundsHeld, verdict: Verdict) -> PaymentTaken | PaymentFailed:
    """Capture the payment, or say why it failed."""
    refused = crud.take(session, money.order_id, money.user_id, money.amount_cents, verdict)
    return PaymentTaken.after(money) if refused is None else PaymentFailed(order_id=money.order_id, reason=refused)


def refund_payment(session: Session, undone: DeliveryFailed | DeliveryCancelled) -> PaymentRefunded:
    """Give the payment back; where none was taken, see to it that none will be."""
    crud.refund(session, undone.order_id)
    return PaymentRefunded(order_id=undone.order_id)


WIRING = {
    "rpc": Wiring(  # no addresses for answers: they go back to the asker
        hears=((mq.RPC_PROCESS, take_payment, ask_gateway), (mq.RPC_REFUND, refund_payment)),
    ),
    "default": Wiring(
        hears=((mq.PROCESS, take_payment, ask_gateway), (mq.REFUND, refund_payment)),
        says=(
            (PaymentTaken, Queue("delivery.schedule")), (PaymentTaken, Queue("notification.notify")),
            (PaymentFailed, Queue("order.update")), (PaymentFailed, Queue("user.release")),
            (PaymentRefunded, Queue("user.release")),
        ),
    ),
    "fanout": Wiring(
        hears=((Fanout("EX_USER"), take_payment, ask_gateway), (Fanout("EX_DELIVERY"), refund_payment)),
        says=((PaymentTaken, mq.EX_PAYMENT), (PaymentFailed, mq.EX_PAYMENT), (PaymentRefunded, mq.EX_PAYMENT)),
    ),
    "direct": Wiring(
        hears=(
            (Direct("funds.held"), take_payment, ask_gateway), (Direct("delivery.failed"), refund_payment),
            (Direct("delivery.cancelled"), refund_payment),
        ),
        says=(
            (PaymentTaken, Direct("payment.completed")), (PaymentFailed, Direct("payment.failed")),
            (PaymentRefunded, Direct("payment.refunded")),
        ),
    ),
    "topic": Wiring(
        hears=(
            (Topic("funds.held"), take_payment, ask_gateway), (Topic("delivery.failed"), refund_payment),
            (Topic("delivery.cancelled"), refund_payment),
        ),
        says=(
            (PaymentTaken, Topic("payment.taken")), (PaymentFailed, Topic("payment.failed")),
            (PaymentRefunded, Topic("payment.refunded")),
        ),
    ),
    "saga": Wiring(
        hears=(
            (saga_command("payment", "take_payment"), take_payment, ask_gateway),
            (saga_command("payment", "refund_payment"), refund_payment),
        ),
        says=(
            (PaymentTaken, saga_event("payment", "take_payment")),
            (PaymentFailed, saga_event("payment", "take_payment", "failure")),
            (PaymentRefunded, saga_event("payment", "refund_payment")),
        ),
    ),
}

"""What the delivery service does when a message arrives, and its order flow in every messaging style."""

from delivery import crud
from delivery import rabbitmq as mq
from patterns import gateway
from patterns.address import Direct, Fanout, Queue, Topic, saga_command, saga_event
from patterns.database import Session
from patterns.shop import DeliveryCancelled, DeliveryFailed, DeliveryScheduled, OrderCancelled, PaymentTaken
from patterns.wiring import Wiring


def schedule_delivery(session: Session, paid: PaymentTaken) -> DeliveryScheduled | DeliveryFailed:
    """Give the parcel its slot, or say why it gets none."""
    refused = crud.schedule(session, paid.order_id, paid.user_id, gateway.accept_parcel(paid.order_id))
    return DeliveryScheduled.after(paid) if refused is None else DeliveryFailed(order_id=paid.order_id, reason=refused)


def cancel_delivery(session: Session, cancelled: OrderCancelled) -> DeliveryCancelled:
    """Take the slot back; where there is none, see to it that there will be none."""
    crud.cancel(session, cancelled.order_id)
    return DeliveryCancelled(order_id=cancelled.order_id)


WIRING = {
    "rpc": Wiring(  # no addresses for answers: they go back to the asker
        hears=((mq.RPC_SCHEDULE, schedule_delivery), (mq.RPC_CANCEL, cancel_delivery)),
    ),
    "default": Wiring(
        hears=((mq.SCHEDULE, schedule_delivery), (mq.CANCEL, cancel_delivery)),
        says=(
            (DeliveryScheduled, Queue("order.update")),
            (DeliveryFailed, Queue("order.update")), (DeliveryFailed, Queue("payment.refund")),
            (DeliveryCancelled, Queue("payment.refund")),
        ),
    ),
    "fanout": Wiring(
        hears=((Fanout("EX_PAYMENT"), schedule_delivery), (Fanout("EX_ORDER"), cancel_delivery)),
        says=((DeliveryScheduled, mq.EX_DELIVERY), (DeliveryFailed, mq.EX_DELIVERY), (DeliveryCancelled, mq.EX_DELIVERY)),
    ),
    "direct": Wiring(
        hears=((Direct("payment.completed"), schedule_delivery), (Direct("order.cancelled"), cancel_delivery)),
        says=(
            (DeliveryScheduled, Direct("delivery.scheduled")), (DeliveryFailed, Direct("delivery.failed")),
            (DeliveryCancelled, Direct("delivery.cancelled")),
        ),
    ),
    "topic": Wiring(
        hears=((Topic("payment.taken"), schedule_delivery), (Topic("order.cancelled"), cancel_delivery)),
        says=(
            (DeliveryScheduled, Topic("delivery.scheduled")), (DeliveryFailed, Topic("delivery.failed")),
            (DeliveryCancelled, Topic("delivery.cancelled")),
        ),
    ),
    "saga": Wiring(
        hears=(
            (saga_command("delivery", "schedule_delivery"), schedule_delivery),
            (saga_command("delivery", "cancel_delivery"), cancel_delivery),
        ),
        says=(
            (DeliveryScheduled, saga_event("delivery", "schedule_delivery")),
            (DeliveryFailed, saga_event("delivery", "schedule_delivery", "failure")),
            (DeliveryCancelled, saga_event("delivery", "cancel_delivery")),
        ),
    ),
}

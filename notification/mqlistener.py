"""What the notification service does when a message arrives, and what it hears in every messaging style."""

from notification import crud
from notification import rabbitmq as mq
from patterns.address import Direct, Fanout, Topic, saga_command
from patterns.database import Session
from patterns.shop import OrderCancelled, OrderConfirmed, OrderFailed, OrderPlaced, PaymentTaken
from patterns.wiring import Wiring


def notify(
    session: Session, news: OrderPlaced | PaymentTaken | OrderConfirmed | OrderFailed | OrderCancelled
) -> None:
    """Tell the customer; each kind of news once for an order."""
    match news:
        case OrderPlaced():
            text = "Thank you: we have your order."
        case PaymentTaken():
            text = f"Receipt: {news.amount_cents // 100}.{news.amount_cents % 100:02} were paid."
        case OrderConfirmed():
            text = "Your order is confirmed and on its way."
        case OrderFailed():
            text = f"Your order could not be fulfilled: {news.reason}."
        case OrderCancelled():
            text = f"Your order is cancelled: {news.reason}."
    crud.tell(session, news.order_id, news.type, news.user_id, text)


WIRING = {
    "rpc": Wiring(hears=((mq.RPC_NOTIFY, notify),)),
    "default": Wiring(hears=((mq.NOTIFY, notify),)),
    "fanout": Wiring(hears=((Fanout("EX_ORDER"), notify), (Fanout("EX_PAYMENT"), notify))),
    "direct": Wiring(
        hears=(
            (Direct("order.created"), notify), (Direct("payment.completed"), notify),
            (Direct("order.confirmed"), notify), (Direct("order.failed"), notify), (Direct("order.cancelled"), notify),
        ),
    ),
    "topic": Wiring(hears=((Topic("order.*"), notify), (Topic("payment.taken"), notify))),
    "saga": Wiring(hears=((saga_command("notification", "notify"), notify),)),
}

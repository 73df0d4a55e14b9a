"""What the product service does when a message arrives, and its order flow in every messaging style."""

from patterns.address import Direct, Fanout, Queue, Topic, saga_command, saga_event
from patterns.database import Session
from patterns.shop import (
    FundsRejected,
    FundsReleased,
    OrderConfirmed,
    OrderPlaced,
    StockRejected,
    StockReleased,
    StockReserved,
)
from patterns.wiring import Wiring
from product import crud
from product import rabbitmq as mq


def reserve_stock(session: Session, order: OrderPlaced) -> StockReserved | StockRejected:
    """Set the goods aside, all lines or none, at today's prices; or say why they cannot be."""
    lines = crud.reserve(session, order.order_id, order.user_id, order.lines, order.amount_cents)
    if isinstance(lines, str):
        return StockRejected(order_id=order.order_id, reason=lines)
    amount = sum(line.price_cents * line.quantity for line in lines)
    return StockReserved(order_id=order.order_id, user_id=order.user_id, lines=lines, amount_cents=amount)


def release_stock(session: Session, undone: FundsRejected | FundsReleased) -> StockReleased:
    """Put the goods back; where none are reserved, see to it that none will be."""
    crud.release(session, undone.order_id)
    return StockReleased(order_id=undone.order_id)


def sell_stock(session: Session, success: OrderConfirmed) -> None:
    """The order is a success: reserved goods count as sold."""
    crud.sell(session, success.order_id)


# What is heard where, and what is said where, in each mode.  Several handlers may hear at one address: the types they
# take tell which one is meant.

WIRING = {
    # the order service asks; answers need no address, they go back to it
    "rpc": Wiring(
        hears=((mq.RPC_UPDATE, reserve_stock), (mq.RPC_RELEASE, release_stock), (mq.RPC_SELL, sell_stock)),
    ),
    # a chain: each address is a queue of the one that acts next
    "default": Wiring(
        hears=((mq.RESERVE, reserve_stock), (mq.RELEASE, release_stock), (mq.SELL, sell_stock)),
        says=(
            (StockReserved, Queue("user.hold")), (StockRejected, Queue("order.update")),
            (StockReleased, Queue("order.update")),
        ),
    ),
    # everybody hears everything that a speaker says
    "fanout": Wiring(
        hears=((Fanout("EX_ORDER"), reserve_stock), (Fanout("EX_USER"), release_stock), (Fanout("EX_ORDER"), sell_stock)),
        says=((StockReserved, mq.EX_PRODUCT), (StockRejected, mq.EX_PRODUCT), (StockReleased, mq.EX_PRODUCT)),
    ),
    # one exact key for each event
    "direct": Wiring(
        hears=(
            (Direct("order.created"), reserve_stock), (Direct("funds.rejected"), release_stock),
            (Direct("funds.released"), release_stock), (Direct("order.confirmed"), sell_stock),
        ),
        says=(
            (StockReserved, Direct("inventory.updated")), (StockRejected, Direct("inventory.rejected")),
            (StockReleased, Direct("inventory.released")),
        ),
    ),
    # keys with dots; a hearer may also bind patterns, such as *.failed
    "topic": Wiring(
        hears=(
            (Topic("order.placed"), reserve_stock), (Topic("funds.rejected"), release_stock),
            (Topic("funds.released"), release_stock), (Topic("order.confirmed"), sell_stock),
        ),
        says=(
            (StockReserved, Topic("stock.reserved")), (StockRejected, Topic("stock.rejected")),
            (StockReleased, Topic("stock.released")),
        ),
    ),
    # commands from the order service, events back to it
    "saga": Wiring(
        hears=(
            (saga_command("product", "reserve_stock"), reserve_stock),
            (saga_command("product", "release_stock"), release_stock),
            (saga_command("product", "sell_stock"), sell_stock),
        ),
        says=(
            (StockReserved, saga_event("product", "reserve_stock")),
            (StockRejected, saga_event("product", "reserve_stock", "failure")),
            (StockReleased, saga_event("product", "release_stock")),
        ),
    ),
}

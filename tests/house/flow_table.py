"""The flow as it is meant, written down a second time: who says what to whom, and what is done there.

Deliberately not derived from anything, so that a slip of the pen in a wiring meets somebody who remembers.
"""

from __future__ import annotations

Row = tuple[str, str, str, str]

NOTICES: tuple[Row, ...] = tuple(
    (speaker, message, "notification", "notify") for speaker, message in (
        ("order", "OrderPlaced"), ("payment", "PaymentTaken"), ("order", "OrderConfirmed"), ("order", "OrderFailed"),
        ("order", "OrderCancelled"),
    )
)

CHOREOGRAPHY: tuple[Row, ...] = (
    # the way forward
    ("order", "OrderPlaced", "product", "reserve_stock"),
    ("product", "StockReserved", "user", "hold_funds"),
    ("user", "FundsHeld", "payment", "take_payment"),
    ("payment", "PaymentTaken", "delivery", "schedule_delivery"),
    ("delivery", "DeliveryScheduled", "order", "confirm"),
    ("order", "OrderConfirmed", "product", "sell_stock"),
    ("order", "OrderConfirmed", "user", "spend_funds"),
    # a refusal fails the order, and tells the step before to let go
    ("product", "StockRejected", "order", "fail"),
    ("user", "FundsRejected", "order", "fail"),
    ("user", "FundsRejected", "product", "release_stock"),
    ("payment", "PaymentFailed", "order", "fail"),
    ("payment", "PaymentFailed", "user", "release_funds"),
    ("delivery", "DeliveryFailed", "order", "fail"),
    ("delivery", "DeliveryFailed", "payment", "refund_payment"),
    # the way back
    ("order", "OrderCancelled", "delivery", "cancel_delivery"),
    ("delivery", "DeliveryCancelled", "payment", "refund_payment"),
    ("payment", "PaymentRefunded", "user", "release_funds"),
    ("user", "FundsReleased", "product", "release_stock"),
    ("product", "StockReleased", "order", "close"),
    *NOTICES,
)

CENTRAL: tuple[Row, ...] = (
    # what the order service tells the others
    ("order", "OrderPlaced", "product", "reserve_stock"),
    ("order", "StockReserved", "user", "hold_funds"),
    ("order", "FundsHeld", "payment", "take_payment"),
    ("order", "PaymentTaken", "delivery", "schedule_delivery"),
    ("order", "OrderConfirmed", "product", "sell_stock"),
    ("order", "OrderConfirmed", "user", "spend_funds"),
    ("order", "FundsRejected", "product", "release_stock"),
    ("order", "PaymentFailed", "user", "release_funds"),
    ("order", "DeliveryFailed", "payment", "refund_payment"),
    ("order", "OrderCancelled", "delivery", "cancel_delivery"),
    ("order", "DeliveryCancelled", "payment", "refund_payment"),
    ("order", "PaymentRefunded", "user", "release_funds"),
    ("order", "FundsReleased", "product", "release_stock"),
    # what they answer, and only to it
    ("product", "StockReserved", "order", "advance"),
    ("user", "FundsHeld", "order", "advance"),
    ("payment", "PaymentTaken", "order", "advance"),
    ("delivery", "DeliveryScheduled", "order", "confirm"),
    ("product", "StockRejected", "order", "fail_and_unwind"),
    ("user", "FundsRejected", "order", "fail_and_unwind"),
    ("payment", "PaymentFailed", "order", "fail_and_unwind"),
    ("delivery", "DeliveryFailed", "order", "fail_and_unwind"),
    ("delivery", "DeliveryCancelled", "order", "unwind"),
    ("payment", "PaymentRefunded", "order", "unwind"),
    ("user", "FundsReleased", "order", "unwind"),
    ("product", "StockReleased", "order", "close"),
    *(("order", message, listener, handler) for _, message, listener, handler in NOTICES),
)

FLOW: dict[str, tuple[Row, ...]] = {
    "default": (
        ("client", "PlaceOrder", "order", "place_order"), ("client", "CancelOrder", "order", "cancel"), *CHOREOGRAPHY
    ),
    "fanout": CHOREOGRAPHY,
    "direct": CHOREOGRAPHY,
    "topic": CHOREOGRAPHY,
    "saga": CENTRAL,
    "rpc": (
        ("client", "PlaceOrder", "order", "place_order_and_tell"),
        ("client", "CancelOrder", "order", "cancel_and_tell"),
        *CENTRAL,
    ),
}

"""What is promised about the rows of one order: always, and once nothing is under way."""

from __future__ import annotations

from tests.unit.flow_model.machine import Rows

ALL_FOUR = ("SOLD", "SPENT", "TAKEN", "SCHEDULED")


def always(rows: Rows) -> str | None:
    """Which promise is broken that holds at every moment."""
    goods, funds = rows.product in ("RESERVED", "SOLD"), rows.user in ("HELD", "SPENT")
    paid, parcel = rows.payment == "TAKEN", rows.delivery == "SCHEDULED"
    if paid and not funds:
        return "a payment is captured, and no funds are held"
    if parcel and not goods:
        return "a parcel is scheduled, and no goods are reserved"
    if rows.order == "SUCCESS" and not (goods and funds and paid and parcel):
        return "the order is a SUCCESS, and not all four steps are done"
    if rows.order != "SUCCESS" and (rows.product == "SOLD" or rows.user == "SPENT"):
        return "goods are sold or money is spent, and the order is no SUCCESS"
    if rows.order == "SUCCESS" and rows.undone:
        return "a SUCCESS is undone"
    return None


def when_quiet(rows: Rows) -> str | None:
    """Which promise is broken that holds when nothing is under way."""
    steps = (rows.product, rows.user, rows.payment, rows.delivery)
    if rows.order == "PROCESSING":
        return "the order never ends"
    if rows.order == "SUCCESS":
        return None if steps == ALL_FOUR else f"the order is a SUCCESS for ever with {steps}"
    if any(state in ("RESERVED", "SOLD", "HELD", "SPENT", "TAKEN", "SCHEDULED") for state in steps):
        return f"the order has FAILED for ever with {steps}"
    return None if rows.undone else "the order has FAILED, and never learns that all is undone"

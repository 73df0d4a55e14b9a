"""The state in the end: the same in every mode, and the one that was foreseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.books import database_of, open_books
from lab.compare.workload import Fate, Wanted, Workload
from patterns.database import Session

ENDS_BY = {
    Fate.SUCCESS: "DeliveryScheduled", Fate.NO_STOCK: "StockRejected", Fate.UNKNOWN_PRODUCT: "StockRejected",
    Fate.WRONG_AMOUNT: "StockRejected", Fate.NO_MONEY: "FundsRejected", Fate.UNKNOWN_USER: "FundsRejected",
    Fate.DECLINED: "PaymentFailed", Fate.UNDELIVERABLE: "DeliveryFailed", Fate.CANCELLED: "OrderCancelled",
}
"""The event after which an order of each fate is settled."""


@dataclass
class FinalState:
    """Every balance, every shelf, every order: each a line that says all there is to say of it."""

    customers: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    ended_by: dict[str, str] = field(default_factory=dict)

    def lines(self) -> dict[str, str]:
        """What must be the same in every mode."""
        return {**self.customers, **self.products, **self.orders}


def final_state(work: Workload) -> FinalState:
    """Read the state from all databases, when all is quiet."""
    books = open_books()
    keys = {wanted.order_id: wanted.key for wanted in (*work.warm_up, *work.wanted)}
    ended = database_of("order").read(_ended_by)
    return FinalState(
        {f"customer {row.id}": f"{row.balance_cents} free, {row.held_cents} held, {row.spent_cents} spent"
         for row in books.users},
        {f"product {row.id}": f"{row.shelf} on the shelf, {row.reserved} reserved, {row.sold} sold"
         for row in books.products},
        {f"order {keys.get(order_id, order_id)}": _order(row) for order_id, row in books.orders.items()},
        {f"order {keys.get(order_id, order_id)}": event for order_id, event in ended.items()},
    )


def _order(row: Any) -> str:
    return f"{row.status} for {row.amount_cents} cents" if row.status == "SUCCESS" else f"{row.status}: {row.reason}"


def _ended_by(session: Session) -> dict[Any, str]:
    """The event that settled each order: the one at the moment at which it was settled."""
    from sqlalchemy import select

    from order.models import history, orders

    settling = select(history.c.order_id, history.c.event).join(orders, orders.c.id == history.c.order_id)
    rows = session.execute(settling.where(history.c.event.in_(set(ENDS_BY.values()))).order_by(history.c.id))
    return {row.order_id: row.event for row in rows}


def unforeseen(work: Workload, state: FinalState, cancelling: bool) -> list[str]:
    """Every order that did not end as it had to."""
    found = []
    for wanted in (*work.warm_up, *work.wanted):
        name, event = f"order {wanted.key}", ENDS_BY[fate_of(wanted, cancelling)]
        if state.ended_by.get(name) != event:
            ending = state.orders.get(name, "never placed")
            found.append(f"{name} ({fate_of(wanted, cancelling)}): {ending}, by {state.ended_by.get(name)}, not {event}")
    return found


def fate_of(wanted: Wanted, cancelling: bool) -> Fate:
    """What becomes of an order: those who cancel only do so when they are sure to be in time."""
    return Fate.SUCCESS if wanted.fate is Fate.CANCELLED and not cancelling else wanted.fate


def differences(states: Mapping[str, FinalState]) -> list[str]:
    """Everything that is not the same in every mode, and what it is in each."""
    return list(_differences({mode: state.lines() for mode, state in states.items()}))


def _differences(lines: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for name in dict.fromkeys(name for each in lines.values() for name in each):
        modes: dict[str, list[str]] = {}
        for mode, each in lines.items():
            modes.setdefault(each.get(name, "not there"), []).append(mode)
        if len(modes) > 1:
            yield f"{name}: " + "; ".join(f"{what} ({_and(who)})" for what, who in modes.items())


def _and(names: Sequence[str]) -> str:
    return ", ".join(names)

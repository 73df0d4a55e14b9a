"""The orders that every mode gets: what becomes of each is decided before the first is placed.

So that the final state cannot depend on who is first, no two orders want the same last thing: whoever can pay can pay
for everything they order, what is on a shelf is enough for everybody who wants it, and what is not enough for an order
is not enough at any time.  The gateway and the carrier decide by the order's id, and that is the same in every mode.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from lab.compare.plan import Plan
from patterns import gateway
from patterns.shop import order_id_for

RICH, POOR = 8, 2
PLENTIFUL, SCARCE = 6, 2
WARM_UP = 5
"""Orders before the measured ones, so that no mode pays for what is done once in a process."""

POOR_CENTS = 99
"""Less than anything costs (:data:`PRICES`)."""
PRICES = (100, 5_000)
SCARCE_PIECES = 1


class Fate(StrEnum):
    """What becomes of an order, by the event that ends it and why."""

    SUCCESS = "success"
    NO_STOCK = "not enough goods"
    UNKNOWN_PRODUCT = "unknown product"
    WRONG_AMOUNT = "wrong amount"
    NO_MONEY = "not enough money"
    UNKNOWN_USER = "unknown customer"
    DECLINED = "gateway declined"
    UNDELIVERABLE = "carrier refused"
    CANCELLED = "cancelled"


SHARES = {
    Fate.NO_STOCK: 0.06, Fate.NO_MONEY: 0.06, Fate.UNKNOWN_PRODUCT: 0.02, Fate.WRONG_AMOUNT: 0.02,
    Fate.UNKNOWN_USER: 0.02, Fate.CANCELLED: 0.05,
}
FEWEST_ORDERS = len(Fate) + 1


@dataclass(frozen=True)
class Wanted:
    """One order, the same in every mode."""

    number: int
    key: str
    user_id: int
    items: tuple[tuple[int, int], ...]
    fate: Fate

    @property
    def order_id(self) -> UUID:
        """Its id, in every mode."""
        return order_id_for(self.user_id, self.key)

    def body(self, mode: str) -> dict[str, Any]:
        """What is posted."""
        items = [{"product_id": product, "quantity": quantity} for product, quantity in self.items]
        wrong = {"amount": "0.01"} if self.fate is Fate.WRONG_AMOUNT else {}
        return {"user_id": self.user_id, "items": items, "mode": mode, **wrong}


@dataclass(frozen=True)
class Workload:
    """Customers by the cents they bring, products by price and pieces (both numbered from 1), and the orders."""

    customers: tuple[int, ...]
    products: tuple[tuple[int, int], ...]
    warm_up: tuple[Wanted, ...]
    wanted: tuple[Wanted, ...]


def workload(plan: Plan) -> Workload:
    """Make all orders of a plan, and a shop that has just what they need.  The plan's settings must be in force."""
    chance = plan.chance()
    prices = [chance.randint(*PRICES) for _ in range(PLENTIFUL + SCARCE)]
    # Rich customers have the first ids, the poor come next; so do plentiful products and scarce ones.
    warm_up = tuple(_keyed(plan, -number, 1, ((1, 1),), Fate.SUCCESS) for number in range(1, WARM_UP + 1))
    wanted = []
    for number, fate in enumerate(_fates(plan)):
        user = chance.randint(1, RICH)
        items = [(product, chance.randint(1, 3)) for product in chance.sample(range(1, PLENTIFUL + 1), chance.randint(1, 3))]
        if fate is Fate.NO_MONEY:
            user = RICH + chance.randint(1, POOR)
        elif fate is Fate.UNKNOWN_USER:
            user = 1_000_000
        elif fate is Fate.NO_STOCK:
            items.append((PLENTIFUL + chance.randint(1, SCARCE), SCARCE_PIECES + 1))
        elif fate is Fate.UNKNOWN_PRODUCT:
            items.append((1_000_000, 1))
        wanted.append(_keyed(plan, number, user, tuple(items), fate))
    return Workload(*_stock([*warm_up, *wanted], prices), warm_up, tuple(wanted))


def _fates(plan: Plan) -> list[Fate]:
    """A fate for each order: at least one of each kind, in the same random order every time."""
    shares = {**SHARES, Fate.DECLINED: plan.fail, Fate.UNDELIVERABLE: plan.fail}
    fates = [fate for fate, share in shares.items() for _ in range(max(1, round(share * plan.orders)) if share else 0)]
    fates += [Fate.SUCCESS] * (plan.orders - len(fates))
    plan.chance().shuffle(fates)
    return fates


def _keyed(plan: Plan, number: int, user: int, items: tuple[tuple[int, int], ...], fate: Fate) -> Wanted:
    """An order under the first key whose id the gateway and the carrier treat as its fate wants it."""
    for attempt in range(1_000_000):
        wanted = Wanted(number, f"compare-{plan.seed}-{number}-{attempt}", user, items, fate)
        declined = gateway.refuses("payment", wanted.order_id, plan.fail)
        refused = gateway.refuses("delivery", wanted.order_id, plan.fail)
        if (declined, refused) == (fate is Fate.DECLINED, fate is Fate.UNDELIVERABLE):
            return wanted
    raise AssertionError("unreachable: --fail is at most a half")


def _stock(orders: list[Wanted], prices: list[int]) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Customers and products with just enough for all of these orders at once."""
    pieces: Counter[int] = Counter()
    cents: Counter[int] = Counter()
    for order in orders:
        for product, quantity in order.items:
            pieces[product] += quantity
            cents[order.user_id] += quantity * prices[product - 1] if product <= len(prices) else 0
    rich = tuple(cents[user] for user in range(1, RICH + 1))
    shelves = [pieces[product] if product <= PLENTIFUL else SCARCE_PIECES for product in range(1, PLENTIFUL + SCARCE + 1)]
    return (*rich, *[POOR_CENTS] * POOR), tuple(zip(prices, shelves, strict=True))

"""What the clients are going to want, and a shop stocked so that a good part of it must fail."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from uuid import UUID

from lab import clients
from lab.torture.plan import Plan
from patterns.shop import order_id_for

RICH, POOR = 30, 10
PLENTIFUL, SCARCE = 8, 3
POOR_SHARE, SCARCE_SHARE, CANCELLED_SHARE = 0.15, 0.1, 0.08


@dataclass(frozen=True)
class Wish:
    """One order that a client wants, under one key."""

    number: int
    key: str
    mode: str
    user_id: int
    items: tuple[tuple[int, int], ...]
    cancel_after: float | None
    """Somebody else cancels the order so many seconds after it is on its way; None: nobody does."""

    @property
    def order_id(self) -> UUID:
        """The id this order must get, if it gets any."""
        return order_id_for(self.user_id, self.key)

    @property
    def body(self) -> dict[str, Any]:
        """What is posted."""
        items = [{"product_id": product, "quantity": quantity} for product, quantity in self.items]
        return {"user_id": self.user_id, "items": items, "mode": self.mode}


@dataclass(frozen=True)
class Stock:
    """The customers and products of one mode's orders."""

    rich: list[int]
    poor: list[int]
    plentiful: list[int]
    scarce: list[int]


def stock_up(plan: Plan, mode: str, users_url: str, products_url: str) -> Stock:
    """Open accounts, some nearly empty, and put products on the shelf, some too few."""
    chance = plan.chance(mode, "stock")
    with clients.client(timeout=30) as http:

        def made(url: str, **body: Any) -> int:
            return int(http.post(url, json=body).raise_for_status().json()["id"])

        def customer(cents: int) -> int:
            return made(f"{users_url}/users", name=f"Customer in {mode}", balance_cents=cents)

        def product(quantity: int) -> int:
            price = chance.randint(100, 5_000)
            return made(f"{products_url}/products", name=f"Goods in {mode}", price_cents=price, quantity=quantity)

        few = max(1, plan.orders // 40)
        return Stock(
            rich=[customer(10**10) for _ in range(RICH)], poor=[customer(chance.randint(0, 20_000)) for _ in range(POOR)],
            plentiful=[product(10**6) for _ in range(PLENTIFUL)], scarce=[product(few) for _ in range(SCARCE)],
        )


def wishes(plan: Plan, stocks: dict[str, Stock]) -> Iterator[Wish]:
    """Orders of these modes, one mode after the other, in the order in which they are begun; there is no end of them."""
    chances = {mode: plan.chance(mode, "wishes") for mode in stocks}
    for number, mode in enumerate(cycle(stocks)):
        yield _wish(chances[mode], number, f"torture-{plan.seed}-{mode}-{number}", mode, stocks[mode])


def _wish(chance: random.Random, number: int, key: str, mode: str, stock: Stock) -> Wish:
    user = chance.choice(stock.poor if chance.random() < POOR_SHARE else stock.rich)
    products = chance.sample(stock.plentiful, chance.randint(1, 3))
    if chance.random() < SCARCE_SHARE:
        products[0] = chance.choice(stock.scarce)
    items = tuple((product, chance.randint(1, 3)) for product in products)
    # Mostly at once, sometimes later: the race is to be won and lost.
    cancel_after = chance.random() ** 2 / 2 if chance.random() < CANCELLED_SHARE else None
    return Wish(number, key, mode, user, items, cancel_after)

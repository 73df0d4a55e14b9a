"""The orders of a comparison: the same for the same seed, of every kind, and none in another's way."""

from __future__ import annotations

from collections import Counter

import pytest

from lab.compare.plan import Plan
from lab.compare.workload import FEWEST_ORDERS, PLENTIFUL, POOR_CENTS, RICH, Fate, Workload, workload
from patterns import gateway
from patterns.settings import configure


def made(**given: float) -> Workload:
    plan = Plan(**given)  # type: ignore[arg-type]
    configure(**plan.settings)
    return workload(plan)


def test_the_same_seed_gives_the_same_orders_and_another_gives_others() -> None:
    assert made(orders=50, seed=7) == made(orders=50, seed=7)
    assert made(orders=50, seed=7) != made(orders=50, seed=8)


def test_ids_are_the_same_in_every_mode_and_differ_from_each_other() -> None:
    work = made(orders=200)
    ids = [one.order_id for one in (*work.warm_up, *work.wanted)]
    assert len(set(ids)) == len(ids)
    assert work.wanted[3].body("rpc") | {"mode": "topic"} == work.wanted[3].body("topic")


@pytest.mark.parametrize("orders", [FEWEST_ORDERS, 100])
def test_every_fate_is_there(orders: int) -> None:
    fates = Counter(one.fate for one in made(orders=orders).wanted)
    assert set(fates) == set(Fate)
    assert fates.total() == orders


def test_nobody_is_declined_when_the_rate_is_0() -> None:
    fates = {one.fate for one in made(orders=50, fail=0).wanted}
    assert fates == set(Fate) - {Fate.DECLINED, Fate.UNDELIVERABLE}


@pytest.mark.parametrize("fail", [0.1, 0.5])
def test_the_outside_world_treats_each_order_as_its_fate_says(fail: float) -> None:
    for one in made(orders=60, fail=fail).wanted:
        assert gateway.refuses("payment", one.order_id, fail) is (one.fate is Fate.DECLINED)
        assert gateway.refuses("delivery", one.order_id, fail) is (one.fate is Fate.UNDELIVERABLE)


def test_no_order_depends_on_which_comes_first() -> None:
    """All of them at once find money and goods, except those that would not find them alone either."""
    work = made(orders=200)
    prices = [price for price, _ in work.products]
    asked, owed = Counter[int](), Counter[int]()
    for one in (*work.warm_up, *work.wanted):
        for product, quantity in one.items:
            if product <= PLENTIFUL:
                asked[product] += quantity
                owed[one.user_id] += quantity * prices[product - 1]
            elif product <= len(prices):
                assert one.fate is Fate.NO_STOCK
                assert quantity > work.products[product - 1][1]
    assert all(asked[product] <= work.products[product - 1][1] for product in range(1, PLENTIFUL + 1))
    assert all(owed[user] <= work.customers[user - 1] for user in range(1, RICH + 1))
    assert set(work.customers[RICH:]) == {POOR_CENTS}
    assert min(prices) > POOR_CENTS

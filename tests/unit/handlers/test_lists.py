"""What a service's verbs list and find: of all orders, of one customer, in one state; with the goods of each."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from patterns.errors import NotFound
from patterns.gateway import Verdict
from patterns.pages import Page
from tests.unit.handlers.workbench import PENCIL, POOR, PRICE, RICH, SOLD_OUT, Workbench, word

STEPS: dict[str, tuple[str, str, str, str]] = {
    "product": ("reserve_stock", "OrderPlaced", "reservations", "RESERVED"),
    "payment": ("take_payment", "FundsHeld", "payments", "TAKEN"),
    "delivery": ("schedule_delivery", "PaymentTaken", "deliveries", "SCHEDULED"),
}
"""By service: the handler that begins a step, what it hears, how the steps are called, and their state."""


@pytest.fixture(params=STEPS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = Workbench(request.param, tmp_path)
    yield made
    made.database.close()


def begin(bench: Workbench, user_id: int) -> UUID:
    handler, message, _, _ = STEPS[bench.service]
    heard = word(message, user_id=user_id)
    bench.do(handler, heard, *([Verdict()] if bench.service == "payment" else []))
    order_id: UUID = heard.order_id
    return order_id


def verb(bench: Workbench, name: str, *arguments: Any) -> Any:
    return bench.work(lambda session: getattr(import_module(f"{bench.service}.crud"), name)(session, *arguments))


def order_of(row: Any) -> UUID:
    found: UUID = row["order_id"] if isinstance(row, dict) else row.order_id
    return found


def test_steps_are_listed_of_one_state_and_of_one_customer_a_page_at_a_time(bench: Workbench) -> None:
    _, _, steps, done = STEPS[bench.service]
    rich, poor = begin(bench, RICH), begin(bench, POOR)

    def listed(state: str | None = None, user_id: int | None = None, **page: Any) -> list[UUID]:
        return [order_of(row) for row in verb(bench, f"list_{steps}", Page(**page), state, user_id)]

    assert sorted(listed()) == sorted([rich, poor])
    assert (listed(user_id=RICH), listed(user_id=POOR)) == ([rich], [poor])
    assert (sorted(listed(done)), listed("VOID")) == (sorted([rich, poor]), [])
    assert (listed(limit=1), listed(limit=1, newest_first=True)) == ([rich], [poor])


def test_the_step_of_one_order_is_found_and_no_other(bench: Workbench) -> None:
    _, _, steps, done = STEPS[bench.service]
    orders = [begin(bench, user_id) for user_id in (RICH, POOR)]
    find = partial(verb, bench, f"get_{steps.removesuffix('ies') + 'y' if steps.endswith('ies') else steps[:-1]}")
    for order_id, user_id in zip(orders, (RICH, POOR), strict=True):
        found = find(order_id)
        row = found if isinstance(found, dict) else found._mapping
        assert (row["order_id"], row["user_id"], row["state"]) == (order_id, user_id, done)
    with pytest.raises(NotFound, match="has no"):
        find(uuid4())


def test_a_reservation_is_shown_with_its_own_goods(product: Workbench) -> None:
    orders = [word("OrderPlaced", lines=[{"product_id": PENCIL, "quantity": quantity}]) for quantity in (1, 2)]
    for order in orders:
        product.do("reserve_stock", order)
    shown = {order_of(row): row["lines"] for row in verb(product, "list_reservations", Page(), None, None)}
    for order in orders:
        [line] = verb(product, "get_reservation", order.order_id)["lines"]
        assert [line] == shown[order.order_id]
        assert (line.product_id, line.quantity, line.price_cents) == (PENCIL, order.lines[0].quantity, PRICE)


def test_products_and_customers_are_listed_by_their_ids(product: Workbench, user: Workbench) -> None:
    assert [row.id for row in verb(product, "list_products", Page())] == [PENCIL, SOLD_OUT]
    assert [row.id for row in verb(user, "list_users", Page(limit=1))] == [RICH]
    assert [row.id for row in verb(user, "list_users", Page(after=(RICH,)))] == [POOR]


def test_what_customers_were_told_is_listed_about_one_order_or_to_one_customer(notification: Workbench) -> None:
    told = {user_id: word("OrderPlaced", user_id=user_id) for user_id in (RICH, POOR)}
    for message in told.values():
        notification.do("notify", message)

    def listed(order_id: UUID | None = None, user_id: int | None = None) -> list[int]:
        return sorted(row.user_id for row in verb(notification, "list_notifications", Page(), order_id, user_id))

    assert listed() == [RICH, POOR] and listed(user_id=POOR) == [POOR]
    assert listed(order_id=told[RICH].order_id) == [RICH]

"""Goods are set aside, put back or sold: once, all lines or none, at the prices of the moment of reservation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from patterns.database import Session
from patterns.shop import PricedLine, StockRejected, StockReserved
from tests.unit.handlers.workbench import NOTHING, PENCIL, PRICE, SOLD_OUT, Workbench, word


def wants(*lines: tuple[int, int], order_id: UUID | None = None, amount_cents: int | None = None) -> Any:
    """An order of so many pieces of these products."""
    wanted = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
    return word("OrderPlaced", order_id, lines=wanted, amount_cents=amount_cents)


def goods(bench: Workbench, product: int = PENCIL) -> tuple[int, int, int]:
    """On the shelf, reserved, sold."""
    row = bench.row("products", id=product)
    assert row is not None
    return row.shelf, row.reserved, row.sold


def state(bench: Workbench, order_id: UUID) -> str:
    row = bench.row("reservations", order_id=order_id)
    return "-" if row is None else row.state


def set_price(bench: Workbench, cents: int) -> None:
    products = bench.table("products")
    bench.work(lambda session: session.execute(update(products).values(price_cents=cents)))


def test_goods_are_set_aside_at_todays_price(product: Workbench) -> None:
    (said,) = product.do("reserve_stock", wants((PENCIL, 3)))
    assert isinstance(said, StockReserved)
    assert said.amount_cents == 3 * PRICE
    assert said.lines == (PricedLine(product_id=PENCIL, quantity=3, price_cents=PRICE),)
    assert goods(product) == (997, 3, 0)


def test_a_reservation_says_whose_it_is_and_what_it_costs(product: Workbench) -> None:
    order = wants((PENCIL, 3))
    product.do("reserve_stock", order)
    row = product.row("reservations", order_id=order.order_id)
    assert row is not None and (row.user_id, row.amount_cents, row.state) == (order.user_id, 3 * PRICE, "RESERVED")


def test_a_price_that_changes_later_changes_nothing(product: Workbench) -> None:
    order = wants((PENCIL, 3))
    first = product.do("reserve_stock", order)
    set_price(product, 999)
    assert product.do("reserve_stock", order) == first
    assert product.do("reserve_stock", wants((PENCIL, 1)))[0].amount_cents == 999


def test_all_lines_or_none(product: Workbench) -> None:
    order = wants((PENCIL, 3), (SOLD_OUT, 1))
    (said,) = product.do("reserve_stock", order)
    assert isinstance(said, StockRejected)
    assert said.reason == f"product {SOLD_OUT}: not enough on the shelf for 1"
    assert goods(product) == (1000, 0, 0)
    assert product.rows("reservation_lines") == []
    assert state(product, order.order_id) == "REJECTED"


def test_several_lines_are_summed_up_and_told_in_the_products_order(product: Workbench) -> None:
    products = product.table("products")
    product.work(lambda session: session.execute(
        update(products).where(products.c.id == SOLD_OUT).values(shelf=5, put_in=5, price_cents=1000)
    ))
    (said,) = product.do("reserve_stock", wants((SOLD_OUT, 2), (PENCIL, 1)))
    assert said.amount_cents == 2 * 1000 + PRICE
    assert [line.product_id for line in said.lines] == [PENCIL, SOLD_OUT]


@pytest.mark.parametrize(("lines", "reason"), [
    ([(NOTHING, 1)], f"product {NOTHING} does not exist"),
    ([(PENCIL, 1001)], f"product {PENCIL}: not enough on the shelf for 1001"),
])
def test_what_is_not_there_is_refused_with_a_reason(
    product: Workbench, lines: list[tuple[int, int]], reason: str
) -> None:
    (said,) = product.do("reserve_stock", wants(*lines))
    assert isinstance(said, StockRejected) and said.reason == reason


def test_the_last_piece_goes_to_one(product: Workbench) -> None:
    assert product.do("reserve_stock", wants((PENCIL, 1000)))[0].type == "StockReserved"
    assert product.do("reserve_stock", wants((PENCIL, 1)))[0].type == "StockRejected"
    assert goods(product) == (0, 1000, 0)


def test_an_amount_other_than_expected_is_refused_and_nothing_is_taken(product: Workbench) -> None:
    order = wants((PENCIL, 3), amount_cents=3 * PRICE - 1)
    (said,) = product.do("reserve_stock", order)
    assert said.reason == f"the amount is {3 * PRICE} cents, not {3 * PRICE - 1}"
    assert goods(product) == (1000, 0, 0) and state(product, order.order_id) == "REJECTED"
    assert product.do("reserve_stock", wants((PENCIL, 3), amount_cents=3 * PRICE))[0].type == "StockReserved"


def test_goods_that_are_not_there_are_the_reason_whatever_was_expected_of_the_amount(product: Workbench) -> None:
    (said,) = product.do("reserve_stock", wants((SOLD_OUT, 1), amount_cents=1))
    assert said.reason == f"product {SOLD_OUT}: not enough on the shelf for 1"


def test_a_duplicate_gets_the_stored_answer(product: Workbench) -> None:
    order = wants((PENCIL, 3))
    first = product.do("reserve_stock", order)
    assert product.do("reserve_stock", order) == first
    product.do("sell_stock", word("OrderConfirmed", order.order_id))
    assert product.do("reserve_stock", order) == first
    assert goods(product) == (997, 0, 3)


def test_a_refusal_stays_a_refusal_though_goods_arrive(product: Workbench) -> None:
    order = wants((SOLD_OUT, 1))
    first = product.do("reserve_stock", order)
    products = product.table("products")
    more = update(products).values(shelf=products.c.shelf + 9, put_in=products.c.put_in + 9)
    product.work(lambda session: session.execute(more))
    assert product.do("reserve_stock", order) == first
    assert goods(product, SOLD_OUT) == (9, 0, 0)


@pytest.mark.parametrize("undo", ["FundsRejected", "FundsReleased"])
def test_goods_are_put_back_once(product: Workbench, undo: str) -> None:
    order = wants((PENCIL, 3))
    product.do("reserve_stock", order)
    for _ in range(3):
        assert [said.type for said in product.do("release_stock", word(undo, order.order_id))] == ["StockReleased"]
        assert goods(product) == (1000, 0, 0)
    assert state(product, order.order_id) == "RELEASED"


def test_an_undo_that_comes_first_leaves_a_tombstone(product: Workbench) -> None:
    order = wants((PENCIL, 3))
    assert [said.type for said in product.do("release_stock", word("FundsReleased", order.order_id))] == ["StockReleased"]
    (late,) = product.do("reserve_stock", order)
    assert isinstance(late, StockRejected) and late.reason == "the order was undone before"
    assert goods(product) == (1000, 0, 0) and state(product, order.order_id) == "VOID"


def test_a_request_after_the_undo_is_refused(product: Workbench) -> None:
    order = wants((PENCIL, 3))
    product.do("reserve_stock", order)
    product.do("release_stock", word("FundsReleased", order.order_id))
    assert product.do("reserve_stock", order)[0].type == "StockRejected"
    assert goods(product) == (1000, 0, 0)


def test_goods_are_sold_once_and_never_put_back(product: Workbench) -> None:
    order = wants((PENCIL, 3))
    product.do("reserve_stock", order)
    sell, release = ("sell_stock", "OrderConfirmed"), ("release_stock", "FundsReleased")
    for handler, message in (sell, sell, release):
        product.do(handler, word(message, order.order_id))
        assert goods(product) == (997, 0, 3)
    assert state(product, order.order_id) == "SOLD"


def test_what_was_never_reserved_is_not_sold(product: Workbench) -> None:
    assert product.do("sell_stock", word("OrderConfirmed")) == ()
    assert goods(product) == (1000, 0, 0) and product.rows("reservations") == []


def test_all_orders_lock_products_in_the_same_order(product: Workbench) -> None:
    products = product.table("products")
    product.work(lambda session: session.execute(update(products).values(shelf=9, put_in=9)))
    for statement in (
        "CREATE TABLE locked (product_id INTEGER)",
        "CREATE TRIGGER note AFTER UPDATE ON products BEGIN INSERT INTO locked VALUES (new.id); END",
    ):
        product.work(partial(Session.execute, statement=text(statement)))
    orders = [wants((SOLD_OUT, 1), (PENCIL, 1)), wants((PENCIL, 1), (SOLD_OUT, 1))]
    for order in orders:
        product.do("reserve_stock", order)
    product.do("release_stock", word("FundsReleased", orders[0].order_id))
    product.do("sell_stock", word("OrderConfirmed", orders[1].order_id))
    in_time = text("SELECT product_id FROM locked ORDER BY rowid")
    locked = product.work(lambda session: session.execute(in_time).scalars().all())
    assert locked == [PENCIL, SOLD_OUT] * 4  # else two orders that meet could wait for each other


# -- whatever comes, in whatever order: the shelves say what the reservations say


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    bench = Workbench("product", tmp_path_factory.mktemp("busy"))
    yield bench
    bench.database.close()


HEARD = st.sampled_from(
    ["reserve_stock OrderPlaced", "release_stock FundsReleased", "release_stock FundsRejected", "sell_stock OrderConfirmed"]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(HEARD, st.integers(0, 2), st.integers(1, 400)), max_size=12))
def test_goods_are_conserved(busy: Workbench, story: list[tuple[str, int, int]]) -> None:
    orders = [uuid4() for _ in range(3)]
    for heard, which, quantity in story:
        handler, message = heard.split()
        if message == "OrderPlaced":
            busy.do(handler, wants((PENCIL, quantity), order_id=orders[which]))
        else:
            busy.do(handler, word(message, orders[which]))
    in_state = {"RESERVED": 0, "SOLD": 0}
    for reservation in busy.rows("reservations"):
        lines = busy.rows("reservation_lines", order_id=reservation.order_id)
        if reservation.state in in_state:
            in_state[reservation.state] += sum(line.quantity for line in lines)
    shelf, reserved, sold = goods(busy)
    assert (reserved, sold) == (in_state["RESERVED"], in_state["SOLD"])
    assert shelf == 1000 - reserved - sold

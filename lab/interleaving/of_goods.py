"""Transactions that meet at a shelf."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from lab.interleaving.of_money import A, B, C, D, success
from lab.interleaving.scenarios import Act, Scenario, does, hears
from patterns.database import Session
from patterns.shop import FundsRejected, FundsReleased, Line, OrderPlaced
from product import crud
from product.models import products


def wants(order: UUID, *items: tuple[int, int], cents: int | None = None) -> OrderPlaced:
    """An order for so many (product, pieces)."""
    lines = tuple(Line(product_id=product, quantity=quantity) for product, quantity in items or ((1, 1),))
    return OrderPlaced(order_id=order, user_id=1, lines=lines, amount_cents=cents)


def undone(order: UUID) -> FundsReleased:
    """An order that is undone down to its money."""
    return FundsReleased(order_id=order)


def refused(order: UUID) -> FundsRejected:
    """An order whose customer has no money."""
    return FundsRejected(order_id=order, reason="not enough money")


def lock_backwards(session: Session) -> None:
    """Somebody at a terminal locks two shelves, the largest id first: nobody in the shop does that."""
    for product in (2, 1):
        session.execute(select(products.c.id).where(products.c.id == product).with_for_update())


def filled(*pieces: int) -> tuple[Act, ...]:
    """Shelves with so many pieces."""
    return tuple(does(crud.create_product, "Chair", 100, each) for each in pieces)


BOTH_WAYS = ((1, 1), (2, 1)), ((2, 1), (1, 1))
RESERVED = hears(wants(A))

OF_GOODS = (
    Scenario("two orders, one last piece", "product", (hears(wants(A)), hears(wants(B))), filled(1)),
    Scenario("two orders for two products, the other way round", "product",
             (hears(wants(A, *BOTH_WAYS[0])), hears(wants(B, *BOTH_WAYS[1]))), filled(2, 1)),
    Scenario("one reservation, delivered twice", "product", (hears(wants(A)), hears(wants(A))), filled(3)),
    Scenario("one reservation under two ids", "product", (hears(wants(A)), hears(wants(A), again="1")), filled(3)),
    Scenario("a reservation and its release", "product", (hears(wants(A)), hears(refused(A))), filled(1)),
    Scenario("the last piece goes back and is wanted", "product",
             (hears(wants(B)), hears(undone(A))), (*filled(1), RESERVED)),
    Scenario("two ways to be released", "product", (hears(refused(A)), hears(undone(A))), (*filled(2), RESERVED)),
    Scenario("a release under two ids", "product", (hears(undone(A)), hears(undone(A), again="1")), (*filled(2), RESERVED)),
    Scenario("sold under two ids", "product", (hears(success(A)), hears(success(A), again="1")), (*filled(2), RESERVED)),
    Scenario("sold or released", "product", (hears(success(A)), hears(undone(A))), (*filled(2), RESERVED)),
    Scenario("a reservation and a restock", "product", (hears(wants(A, (1, 2))), does(crud.restock, 1, 1)), filled(1)),
    Scenario("a reservation and a new price", "product",
             (hears(wants(A, cents=100)), does(crud.change_product, 1, "Chair", 120)), filled(2)),
    Scenario("two restocks", "product", (does(crud.restock, 1, 1), does(crud.restock, 1, 2)), filled(0), ("topic",)),
    Scenario("a reservation and the product's end", "product", (hears(wants(A)), does(crud.delete_product, 1)), filled(1)),
    Scenario("a refused reservation of two, one let go", "product",
             (hears(wants(B, *BOTH_WAYS[0])), hears(wants(C, *BOTH_WAYS[0]))), filled(2, 1)),
    Scenario("a refused order lets go what another wants", "product",
             (hears(wants(A, *BOTH_WAYS[0])), hears(wants(B))), filled(2, 0)),
    Scenario("two batches, products the other way round", "product",
             (hears(wants(A, (2, 1)), wants(B, (1, 1))), hears(wants(C, (1, 1)), wants(D, (2, 1)))), filled(2, 2)),
    Scenario("a release of two products and an order for both", "product",
             (hears(undone(A)), hears(wants(B, *BOTH_WAYS[1]))), (*filled(1, 1), hears(wants(A, *BOTH_WAYS[0])))),
    Scenario("an order for two products and somebody who locks backwards", "product",
             (hears(wants(A, *BOTH_WAYS[0])), does(lock_backwards)), filled(1, 1)),
    Scenario("three orders, two pieces", "product", (hears(wants(A)), hears(wants(B)), hears(wants(C))), filled(2)),
    Scenario("the last piece goes back and two want it", "product", (hears(undone(A)), hears(wants(B)), hears(wants(C))),
             (*filled(1), RESERVED)),
    Scenario("a late reservation, its undo, and the undo again", "product",
             (hears(wants(A)), hears(refused(A)), hears(undone(A))), filled(2)),
)

"""What is promised, as functions over the books: each yields the places where it is broken.

*Always*: in every committed state of a database, and for every order across services.  *When quiet*: once nothing is
under way.  At-least-once delivery, effects applied once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lab.books import Books

Check = Callable[[Books], Iterator[str]]

DONE = {"product": ("RESERVED", "SOLD"), "user": ("HELD", "SPENT"), "payment": ("TAKEN",), "delivery": ("SCHEDULED",)}


@dataclass
class Promise:
    """One promise, and every place where it is broken."""

    text: str
    broken: list[str] = field(default_factory=list)


# -- always, within one database


def money_is_conserved(books: Books) -> Iterator[str]:
    """Free + held + spent = paid in, as deposits and holds say too; nothing negative."""
    held: dict[tuple[int, str], int] = {}
    for hold in books.holds.values():
        if hold.user_id is not None:
            held[hold.user_id, hold.state] = held.get((hold.user_id, hold.state), 0) + (hold.amount_cents or 0)
    for user in books.users:
        if user.balance_cents + user.held_cents + user.spent_cents != user.paid_in_cents:
            yield f"user {user.id}: {user.balance_cents} + {user.held_cents} + {user.spent_cents} ≠ {user.paid_in_cents}"
        if min(user.balance_cents, user.held_cents, user.spent_cents) < 0:
            yield f"user {user.id}: negative money"
        if user.paid_in_cents != books.deposits.get(user.id, 0):
            yield f"user {user.id}: paid in {user.paid_in_cents}, deposits say {books.deposits.get(user.id, 0)}"
        for state, column in (("HELD", user.held_cents), ("SPENT", user.spent_cents)):
            if column != held.get((user.id, state), 0):
                yield f"user {user.id}: {column} {state.lower()}, the holds say {held.get((user.id, state), 0)}"


def goods_are_conserved(books: Books) -> Iterator[str]:
    """Shelf + reserved + sold = put in, as reservations say too; nothing negative."""
    for product in books.products:
        if product.shelf + product.reserved + product.sold != product.put_in:
            yield f"product {product.id}: {product.shelf} + {product.reserved} + {product.sold} ≠ {product.put_in}"
        if min(product.shelf, product.reserved, product.sold) < 0:
            yield f"product {product.id}: negative goods"
        for state, column in (("RESERVED", product.reserved), ("SOLD", product.sold)):
            lines = books.reserved.get((product.id, state), 0)
            if column != lines:
                yield f"product {product.id}: {column} {state.lower()}, the reservations say {lines}"


def nothing_belongs_to_nobody(books: Books) -> Iterator[str]:
    """Money is a customer's; what is set aside or sold is a product."""
    payers = set(books.deposits) | {row.user_id for row in books.holds.values() if row.state not in ("VOID", "REJECTED")}
    goods = {product for product, _ in books.reserved}
    for kind, named, known in (("user", payers, books.users), ("product", goods, books.products)):
        yield from (f"{kind} {one} is on the books, and does not exist" for one in named - {row.id for row in known})


# -- always, for every order across services


def states(books: Books) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every order known anywhere: its id, its status, and the state of each step (``-`` where there is no row)."""
    steps = {"product": books.reservations, "user": books.holds, "payment": books.payments, "delivery": books.deliveries}
    for order_id in set().union(books.orders, *steps.values()):
        order = books.orders.get(order_id)
        found = {service: rows[order_id].state if order_id in rows else "-" for service, rows in steps.items()}
        yield str(order_id), order.status if order is not None else "-", found


def steps_stand_on_each_other(books: Books) -> Iterator[str]:
    """TAKEN ⇒ HELD or SPENT; SCHEDULED ⇒ RESERVED or SOLD; SUCCESS ⇒ all four done; SOLD or SPENT ⇒ SUCCESS."""
    for order_id, status, step in states(books):
        done = {service: step[service] in DONE[service] for service in DONE}
        if done["payment"] and not done["user"]:
            yield f"{order_id}: payment TAKEN, funds {step['user']}"
        if done["delivery"] and not done["product"]:
            yield f"{order_id}: delivery SCHEDULED, goods {step['product']}"
        if status == "SUCCESS" and not all(done.values()):
            yield f"{order_id}: SUCCESS with {step}"
        if status != "SUCCESS" and (step["product"] == "SOLD" or step["user"] == "SPENT"):
            yield f"{order_id}: {status} with {step}"


def every_effect_has_an_order(books: Books) -> Iterator[str]:
    """No reservation, hold, payment or delivery without an order."""
    for order_id, status, step in states(books):
        if status == "-":
            yield f"{order_id}: {step} and no order"


# -- when quiet


def every_order_is_settled(books: Books) -> Iterator[str]:
    """Every accepted order is SUCCESS or FAILED."""
    for order_id, status, step in states(books):
        if status == "PROCESSING":
            yield f"{order_id}: PROCESSING with {step}"


def success_means_all_four(books: Books) -> Iterator[str]:
    """SUCCESS ⇔ SOLD, SPENT, TAKEN, SCHEDULED; FAILED ⇔ none of these, nor RESERVED or HELD."""
    for order_id, status, step in states(books):
        all_four = step == {"product": "SOLD", "user": "SPENT", "payment": "TAKEN", "delivery": "SCHEDULED"}
        if status == "SUCCESS" and not all_four:
            yield f"{order_id}: SUCCESS with {step}"
        if status == "FAILED" and any(step[service] in DONE[service] for service in DONE):
            yield f"{order_id}: FAILED with {step}"


def money_adds_up(books: Books) -> Iterator[str]:
    """Σ taken = Σ spent = Σ amounts of SUCCESS orders = Σ prices of what they bought."""
    success = {order_id: order for order_id, order in books.orders.items() if order.status == "SUCCESS"}
    sums = {
        "taken": sum(row.amount_cents for row in books.payments.values() if row.state == "TAKEN"),
        "spent": sum(row.amount_cents for row in books.holds.values() if row.state == "SPENT"),
        "spent by users": sum(user.spent_cents for user in books.users),
        "sold": sum(row.amount_cents for row in books.reservations.values() if row.state == "SOLD"),
        "orders": sum(order.amount_cents for order in success.values()),
    }
    if len(set(sums.values())) > 1:
        yield f"{sums}"


def every_ending_is_told(books: Books) -> Iterator[str]:
    """At least one notification for each ending."""
    for order_id, order in books.orders.items():
        endings = {"SUCCESS": {"OrderConfirmed"}, "FAILED": {"OrderFailed", "OrderCancelled"}}.get(order.status, set())
        if endings and not endings & books.told.get(order_id, set()):
            yield f"{order_id}: {order.status}, told only {sorted(books.told.get(order_id, set()))}"


ALWAYS_LOCAL: tuple[Check, ...] = (money_is_conserved, goods_are_conserved, nothing_belongs_to_nobody)
ALWAYS_ACROSS: tuple[Check, ...] = (steps_stand_on_each_other, every_effect_has_an_order)
WHEN_QUIET: tuple[Check, ...] = (every_order_is_settled, success_means_all_four, money_adds_up, every_ending_is_told)


def check(books: Books, checks: tuple[Check, ...] = (*ALWAYS_LOCAL, *ALWAYS_ACROSS, *WHEN_QUIET)) -> list[Promise]:
    """Hold the books against the promises."""
    return [Promise((one.__doc__ or one.__name__).strip(), list(one(books))) for one in checks]

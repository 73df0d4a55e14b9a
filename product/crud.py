"""Verbs on the product service's tables.  Each takes a session and never commits; each change carries its own guard."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, insert, select, update

from patterns import step
from patterns.amounts import transfer, transfer_if_enough
from patterns.database import Session
from patterns.errors import Conflict, NotFound
from patterns.locking import lock, of_orders
from patterns.message import Message
from patterns.pages import Page
from patterns.removal import remove
from patterns.shop import Line, PricedLine
from product.models import products, reservation_lines, reservations

MOST_PUT_IN = 10**12

# Made once: making a statement costs more than running it.
_lines_of = select(reservation_lines).order_by(reservation_lines.c.product_id)
_SET_ASIDE = _lines_of.where(reservation_lines.c.order_id == bindparam("order"))


def create_product(session: Session, name: str, price_cents: int, quantity: int) -> Row[Any]:
    """Start to sell something."""
    goods = {"shelf": quantity, "reserved": 0, "sold": 0, "put_in": quantity}
    return session.execute(insert(products).values(name=name, price_cents=price_cents, **goods).returning(products)).one()


def get_product(session: Session, product_id: int) -> Row[Any]:
    """A product.  Raises NotFound."""
    return _found(session.execute(select(products).where(products.c.id == product_id)).one_or_none(), product_id)


def list_products(session: Session, page: Page) -> Sequence[Row[Any]]:
    """Products in the order of their ids."""
    return page.rows(session, products, "id")


def change_product(session: Session, product_id: int, name: str, price_cents: int) -> Row[Any]:
    """Change name or price; orders whose goods are reserved keep the old price.  Raises NotFound."""
    changed = update(products).where(products.c.id == product_id).values(name=name, price_cents=price_cents)
    return _found(session.execute(changed.returning(products)).one_or_none(), product_id)


def delete_product(session: Session, product_id: int) -> None:
    """Sell something no more.  Raises NotFound, or Conflict when it was ever set aside for an order."""
    if not remove(session, products, product_id, ~exists().where(reservation_lines.c.product_id == product_id)):
        get_product(session, product_id)
        raise Conflict(f"product {product_id} stays on the books: goods were set aside for orders, or sold")


def restock(session: Session, product_id: int, quantity: int) -> Row[Any]:
    """Put goods on the shelf.  Raises NotFound, or Conflict when there are more than can be counted."""
    room = update(products).where(products.c.id == product_id, products.c.put_in <= MOST_PUT_IN - quantity)
    more = room.values(shelf=products.c.shelf + quantity, put_in=products.c.put_in + quantity).returning(products)
    product = session.execute(more).one_or_none()
    if product is None:
        get_product(session, product_id)
        raise Conflict(f"product {product_id} has as many goods as can be counted ({MOST_PUT_IN})")
    return product


def reserve(
    session: Session, order_id: UUID, user_id: int, lines: Sequence[Line], expected_cents: int | None
) -> tuple[PricedLine, ...] | str:
    """Set goods aside for an order, all lines or none, once; answers them with their prices, or why they cannot be."""
    if not step.begin(session, reservations, order_id, "RESERVED", user_id=user_id):
        refused = step.refusal(session, reservations, order_id, done=("RESERVED", "SOLD"))
        return reserved_lines(session, order_id) if refused is None else refused
    # What was taken before a refusal is put back by a savepoint; whoever opens one waits until others are done.
    attempt = session.begin_nested() if len(lines) > 1 or expected_cents is not None else None
    priced, refused = _take(session, lines)
    amount = sum(line.price_cents * line.quantity for line in priced)
    if refused is None and expected_cents is not None and expected_cents != amount:
        refused = f"the amount is {amount} cents, not {expected_cents}"
    if refused is not None:
        if attempt is not None:
            attempt.rollback()
        step.amend(session, reservations, order_id, "RESERVED", "REJECTED", reason=refused)
        return refused
    for line in priced:
        step.insert(session, reservation_lines, order_id=order_id, **line.model_dump())
    step.amend(session, reservations, order_id, "RESERVED", "RESERVED", amount_cents=amount)
    return tuple(priced)


def list_reservations(session: Session, page: Page, state: str | None, user_id: int | None) -> list[dict[str, Any]]:
    """Reservations with their lines, those of the newest orders first; all, or those in a state, or a customer's."""
    rows = page.rows(session, reservations, "begun_at", "order_id", state=state, user_id=user_id)
    lines = _lines(session, [row.order_id for row in rows])
    return [{**row._mapping, "lines": lines[row.order_id]} for row in rows]


def get_reservation(session: Session, order_id: UUID) -> dict[str, Any]:
    """An order's reservation with its lines.  Raises NotFound."""
    found = session.execute(select(reservations).where(reservations.c.order_id == order_id)).one_or_none()
    if found is None:
        raise NotFound(f"order {order_id} has no reservation")
    return {**found._mapping, "lines": reserved_lines(session, order_id)}


def reserved_lines(session: Session, order_id: UUID) -> tuple[PricedLine, ...]:
    """The goods set aside for an order, at the prices they had then."""
    rows = session.execute(_SET_ASIDE, {"order": order_id})
    return tuple(PricedLine.model_validate(row, from_attributes=True) for row in rows)


def lock_shelves(session: Session, messages: Sequence[Message]) -> None:
    """Lock the shelves of all products that these messages are about, the smallest id first."""
    named = {line.product_id for message in messages for line in getattr(message, "lines", ())}
    orders = {message.order_id for message in messages}
    set_aside = of_orders(session, reservation_lines.c.product_id, orders)
    lock(session, products, named | set_aside)


def release(session: Session, order_id: UUID) -> None:
    """Put reserved goods back, once; goods never reserved are not to be reserved any more."""
    if step.undo(session, reservations, order_id, "RESERVED", "RELEASED") is not None:
        for line in reserved_lines(session, order_id):
            transfer(session, products, line.product_id, "reserved", "shelf", line.quantity)


def sell(session: Session, order_id: UUID) -> None:
    """Turn reserved goods into sold goods, once."""
    if step.move(session, reservations, order_id, "RESERVED", "SOLD") is not None:
        for line in reserved_lines(session, order_id):
            transfer(session, products, line.product_id, "reserved", "sold", line.quantity)


def _take(session: Session, lines: Sequence[Line]) -> tuple[list[PricedLine], str | None]:
    """Move each line from the shelf to the reserved goods; stops at the first that is not there, and says why."""
    taken: list[PricedLine] = []
    for line in sorted(lines, key=lambda line: line.product_id):  # one order of locks for all orders: no deadlock
        product = transfer_if_enough(session, products, line.product_id, "shelf", "reserved", line.quantity)
        if product is None:
            known = session.execute(select(products.c.shelf).where(products.c.id == line.product_id)).scalar_one_or_none()
            if known is None:
                return taken, f"product {line.product_id} does not exist"
            return taken, f"product {line.product_id}: not enough on the shelf for {line.quantity}"
        taken.append(PricedLine(product_id=line.product_id, quantity=line.quantity, price_cents=product.price_cents))
    return taken, None


def _lines(session: Session, orders: Sequence[UUID]) -> defaultdict[UUID, list[PricedLine]]:
    found: defaultdict[UUID, list[PricedLine]] = defaultdict(list)
    for row in session.execute(_lines_of.where(reservation_lines.c.order_id.in_(orders))):
        found[row.order_id].append(PricedLine.model_validate(row, from_attributes=True))
    return found


def _found(product: Row[Any] | None, product_id: int) -> Row[Any]:
    if product is None:
        raise NotFound(f"product {product_id} does not exist")
    return product

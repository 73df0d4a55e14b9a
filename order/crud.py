"""Verbs on the order service's tables.  Each takes a session and never commits; each change carries its own guard."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, case, or_, select, update

from order.models import SHOWN, history, order_lines, orders
from patterns.database import Session, now
from patterns.errors import Conflict, Gone, KeyReused, NotFound, Unreadable
from patterns.pages import Page
from patterns.place_order import PlaceOrder
from patterns.settings import settings
from patterns.shop import Line, OrderStatus
from patterns.sql import Clocked, among, beside_key, timed, times
from patterns.step import insert, insert_once

STARTED, COMPLETED, COMPENSATING, COMPENSATED = "STARTED", "COMPLETED", "COMPENSATING", "COMPENSATED"

# Made once: making a statement costs more than running it.
_THIS = orders.c.id == bindparam("order")
_OPEN = beside_key(orders.c.status) == "PROCESSING"
_ONE = select(orders).where(_THIS)
_PROGRESS = update(orders).where(_THIS, _OPEN).values(saga_state=bindparam("reached"))
_CLOSE = update(orders).where(_THIS, orders.c.status != "SUCCESS", orders.c.undone_at.is_(None)).values(
    undone_at=now(), saga_state=COMPENSATED)
# The news that all is undone may overtake the news of the failure itself.
_FAILING = case((orders.c.undone_at.is_not(None), COMPENSATED), else_=COMPENSATING)


@cache
def _settling(changed: tuple[str, ...], clocked: Clocked) -> Any:
    values: dict[str, Any] = {"settled_at": now(), "saga_state": _FAILING}
    values |= {name: bindparam(name) for name in changed} | times(clocked)
    return update(orders).where(_THIS, _OPEN).values(values).returning(orders.c.user_id, orders.c.mode, orders.c.saga_state)


@cache
def _lines_of(dialect: str) -> Any:
    return select(order_lines).where(among(dialect, order_lines.c.order_id, "orders")).order_by(order_lines.c.product_id)


def place(session: Session, order: PlaceOrder) -> bool:
    """Accept an order, once; False when it is there.  Raises KeyReused if that is another one, Gone if it is deleted."""
    if not insert_once(
        session, orders, id=order.order_id, user_id=order.user_id, mode=order.mode, fingerprint=order.fingerprint,
        status="PROCESSING", saga_state=STARTED, placed_at=now(), deadline_at=now(settings().order_deadline_seconds),
    ):
        if _row(session, order.order_id).fingerprint != order.fingerprint:
            raise KeyReused(f"order {order.order_id}: {KeyReused.__doc__}")
        return False
    for line in order.lines:
        insert(session, order_lines, order_id=order.order_id, **line.model_dump())
    note(session, order.order_id, "OrderPlaced", STARTED)
    return True


def progress(session: Session, order_id: UUID, event: str, saga_state: str) -> bool:
    """Note how far an order has come; False once it is settled."""
    if session.execute(_PROGRESS, {"order": order_id, "reached": saga_state}).rowcount == 0:
        return False
    note(session, order_id, event, saga_state)
    return True


def succeed(session: Session, order_id: UUID, event: str, amount_cents: int) -> Row[Any] | None:
    """End an order as a success; None when it has ended already."""
    return _settle(session, order_id, event, status="SUCCESS", saga_state=COMPLETED, amount_cents=amount_cents)


def fail(session: Session, order_id: UUID, event: str, reason: str, *, undone: bool) -> Row[Any] | None:
    """End an order as a failure; None when it has ended already.  ``undone``: nothing was done, so nothing is to undo."""
    changes = {"saga_state": COMPENSATED, "undone_at": now()} if undone else {}
    return _settle(session, order_id, event, status="FAILED", reason=reason, **changes)


def close(session: Session, order_id: UUID, event: str) -> None:
    """Note that everything an order had done is undone; its status stays, and is that of a failure now or soon."""
    if session.execute(_CLOSE, {"order": order_id}).rowcount == 1:
        note(session, order_id, event, COMPENSATED)


def note(session: Session, order_id: UUID, event: str, saga_state: str, reason: str | None = None) -> None:
    """Write into an order's history."""
    insert(session, history, order_id=order_id, happened_at=now(), event=event, saga_state=saga_state, reason=reason)


def status(session: Session, order_id: UUID) -> OrderStatus:
    """How an order stands.  Raises Unreadable when there is none: whoever asked for it named a wrong one."""
    row = _row(session, order_id, missing=Unreadable)
    return OrderStatus(order_id=order_id, status=row.status, reason=row.reason)


def overdue(session: Session, limit: int) -> list[UUID]:
    """Orders whose deadline is over, by the database's clock; the oldest first."""
    late = orders.c.status == "PROCESSING", orders.c.deadline_at <= now()  # in the words of the index orders_open
    return list(session.execute(select(orders.c.id).where(*late).order_by(orders.c.deadline_at).limit(limit)).scalars())


def get_order(session: Session, order_id: UUID, lines: Sequence[Line] = ()) -> dict[str, Any]:
    """An order with its lines, which are read unless they are known.  Raises NotFound, or Gone when it is deleted."""
    row = _row(session, order_id)
    return {**row._mapping, "lines": lines} if lines else _with_lines(session, [row])[0]


def list_orders(session: Session, page: Page, having: Mapping[str, object]) -> list[dict[str, Any]]:
    """A page of orders with their lines, the newest first; ``having`` names columns and what they must be, or None."""
    wanted = [orders.c[name] == value for name, value in having.items() if value is not None]
    query = page.of(select(orders).where(SHOWN, *wanted), orders.c.placed_at, orders.c.id)
    return _with_lines(session, session.execute(query).all())


def get_history(session: Session, order_id: UUID) -> list[Row[Any]]:
    """What happened to an order, in time.  Raises NotFound or Gone."""
    get_order(session, order_id)
    return list(session.execute(select(history).where(history.c.order_id == order_id).order_by(history.c.id)))


def get_saga(session: Session, order_id: UUID) -> tuple[dict[str, Any], list[Row[Any]]]:
    """An order of mode saga, and its history.  Raises NotFound or Gone."""
    order = get_order(session, order_id)
    if order["mode"] != "saga":
        raise NotFound(f"order {order_id} has no saga: it travels in mode {order['mode']}; its history has what happened")
    return order, get_history(session, order_id)


def delete_order(session: Session, order_id: UUID) -> None:
    """Hide an order that is done with: a success, or a failure that is undone.  Raises NotFound, Gone or Conflict."""
    done = or_(orders.c.status == "SUCCESS", and_(orders.c.status == "FAILED", orders.c.undone_at.is_not(None)))
    if session.execute(update(orders).where(orders.c.id == order_id, SHOWN, done).values(deleted_at=now())).rowcount == 0:
        found = get_order(session, order_id)["status"]
        raise Conflict(
            f"order {order_id} was not done with when asked to be deleted (it is {found} now): "
            "it must be settled, and what a failed one had done must be undone; try again when it is")


def _with_lines(session: Session, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    lines: dict[UUID, list[dict[str, int]]] = {row.id: [] for row in rows}
    for line in session.execute(_lines_of(session.dialect.name), {"orders": list(lines)}):
        lines[line.order_id].append({"product_id": line.product_id, "quantity": line.quantity})
    return [{**row._mapping, "lines": lines[row.id]} for row in rows]


def _row(session: Session, order_id: UUID, missing: type[Exception] = NotFound) -> Row[Any]:
    """An order's row.  Raises ``missing`` when there is none, Gone when it is deleted."""
    if (row := session.execute(_ONE, {"order": order_id}).one_or_none()) is None:
        raise missing(f"order {order_id} does not exist")
    if row.deleted_at is not None:
        raise Gone(f"order {order_id} is deleted")
    return row


def _settle(session: Session, order_id: UUID, event: str, **changes: Any) -> Row[Any] | None:
    plain, clocked = timed(changes)
    row = session.execute(_settling(tuple(plain), clocked), {"order": order_id, **plain}).one_or_none()
    if row is not None:
        note(session, order_id, event, row.saga_state, changes.get("reason"))
    return row

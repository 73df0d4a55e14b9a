"""With many settled orders and statistics made of them, PostgreSQL finds a row by its key, and what is due by its index.

Otherwise an order costs more the longer the backlog is: PostgreSQL takes the index of what is open for empty, as it was when
statistics were made, and looks through it for the one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from lab.bench.past import past
from lab.bench.rows import copy_in
from lab.compare.places import settings_as_before
from lab.migrate import migrate
from lab.servers import Databases, Postgres
from order import crud
from patterns import inbox, journal, outbox
from patterns.database import Database, Session
from patterns.engine import database_url as url_of
from patterns.settings import configure
from product import crud as products

Work = Callable[[Session], object]

OF_ORDERS: dict[str, tuple[Work, str]] = {
    "a step of an order": (lambda session: crud.progress(session, uuid4(), "FundsHeld", "FUNDS_HELD"), "orders_pkey"),
    "the end of an order": (lambda session: crud.succeed(session, uuid4(), "DeliveryScheduled", 1), "orders_pkey"),
    "an order's undoing": (lambda session: crud.close(session, uuid4(), "StockReleased"), "orders_pkey"),
    "overdue orders": (lambda session: crud.overdue(session, 100), "orders_open"),
    "one message is sent": (lambda session: outbox.mark_sent(session, [uuid4()]), "outbox_says_it_once"),
    "messages are sent": (lambda session: outbox.mark_sent(session, [uuid4(), uuid4()]), "outbox_says_it_once"),
    "an answer": (lambda session: outbox.mark_answered(session, [(str(uuid4()), uuid4())]), "outbox_says_it_once"),
    "messages that are due": (outbox.claim, "outbox_unsent"),
    "old messages": (lambda session: journal.prune(session, 10**6), "outbox_sent"),
}
OF_GOODS: dict[str, tuple[Work, str]] = {
    "the sale of what is reserved": (lambda session: products.sell(session, uuid4()), "reservations_pkey"),
    "a message is heard": (lambda session: inbox.first_times(session, [heard()]), "inbox"),
}


def heard() -> dict[str, Any]:
    """A row of the inbox that is not there yet."""
    return {"service": "product", "message_id": uuid4(), "order_id": uuid4(), "type": "A", "mode": "topic", "queue": "q",
            "handler": "h", "sender": "order"}


@pytest.fixture(scope="module")
def filled(postgres_server: Postgres) -> Iterator[dict[str, Database]]:
    """Two services' databases with some thousand settled orders in them, analysed."""
    databases, services = Databases(postgres_server), ("order", "product")
    url = databases.fresh(services)
    with settings_as_before():
        configure(database_url=url)
        migrate(services, wait=30)
        found = {service: Database(service, url_of(service)) for service in services}
    for service in services:
        copy_in(url, service, past(3000)[service])
    yield found
    for database in found.values():
        database.close()
    databases.drop(url)


def plans(database: Database, work: Callable[[Session], object]) -> str:
    """How PostgreSQL would carry out the statements that this work makes."""
    made: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: bool) -> None:
        made.append((statement, parameters))

    def explained(quick: Any) -> str:
        session: Session = quick.plain  # where statements can be overheard
        event.listen(session, "before_cursor_execute", note)
        work(session)
        event.remove(session, "before_cursor_execute", note)
        found = [session.exec_driver_sql(f"EXPLAIN {statement}", parameters) for statement, parameters in made]
        return "\n".join(row[0] for rows in found for row in rows)

    return database.transact(explained)


@pytest.mark.parametrize(("service", "what"), [
    *(("order", what) for what in OF_ORDERS), *(("product", what) for what in OF_GOODS)])
def test_rows_are_found_by_the_index_that_is_meant_for_it(filled: dict[str, Database], service: str, what: str) -> None:
    work, index = {**OF_ORDERS, **OF_GOODS}[what]
    plan = plans(filled[service], work)
    assert f" {index} " in plan, plan
    assert "Seq Scan" not in plan, plan


def test_what_is_due_is_found_by_its_index_when_much_was_waiting_at_the_last_analysis(filled: dict[str, Database]) -> None:
    orders = filled["order"]
    orders.transact(lambda session: session.exec_driver_sql("UPDATE outbox SET sent_at = NULL WHERE mod(id, 10) = 0"))
    with orders.engine.connect() as session:
        session.exec_driver_sql("ANALYZE outbox")
        session.commit()
    plan = plans(orders, outbox.claim)
    assert " outbox_unsent " in plan, plan

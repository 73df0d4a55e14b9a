"""Two instances of a service whose batches touch the same rows, in different orders, must not deadlock.

Seen under load: a deadlock for every 15 orders, each a second of waiting, so that two instances were slower than one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, select, text, update
from sqlalchemy.exc import DBAPIError

from lab.shop import app_of, wirings_of
from patterns.address import Topic
from patterns.amqp import Delivery
from patterns.database import Database, Session
from patterns.engine import database_url as url_of
from patterns.envelope import Context, seal
from patterns.hearing import Heard, Hearing
from patterns.listener import deliver
from patterns.message import Message
from patterns.settings import configure
from patterns.shop import FundsRejected, Line, OrderPlaced, PaymentFailed, PricedLine, StockReserved
from product import crud as products
from product.models import products as shelves
from tests.flows.words import until
from user import crud as users
from user.models import users as accounts

pytestmark = pytest.mark.real

Make = Callable[[int, UUID], Message]


def placed(product: int, order_id: UUID) -> Message:
    return OrderPlaced(order_id=order_id, user_id=1, lines=(Line(product_id=product, quantity=1),))


def reserved(user: int, order_id: UUID) -> Message:
    lines = (PricedLine(product_id=1, quantity=1, price_cents=1),)
    return StockReserved(order_id=order_id, user_id=user, lines=lines, amount_cents=1)


def heard(service: str, key: str, message: Message) -> Heard:
    out = seal(message, Topic(key), Context("topic")).outgoing("elsewhere")
    delivery = Delivery(f"{service}.topic", 1, out.exchange, out.routing_key, out.body, out.properties)
    found = Hearing(service, wirings_of(service)).hear(delivery)
    assert found is not None
    return found


class Meeting:
    """One service's database, with two rows in it that stand in the file the other way round."""

    def __init__(self, service: str, table: Table, make: Callable[[Session], Any]) -> None:
        self.service, self.table = service, table
        self.database = Database(service, url_of(service))
        self.database.create_tables(import_module(f"{service}.models").metadata)
        self.first, self.second = sorted(self.database.transact(make).id for _ in range(2))
        self.database.transact(lambda session: session.execute(
            update(table).where(table.c.id == self.first).values(name="moved behind the second")))

    def lock(self, session: Session, row: int, nowait: bool = False) -> None:
        session.execute(select(self.table.c.id).where(self.table.c.id == row).with_for_update(nowait=nowait))

    def somebody_waits(self) -> bool:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(self.database.read(lambda session: session.execute(waiting).scalar_one()))

    def deliver(self, batch: list[Heard]) -> None:
        lock_rows = app_of(self.service).state.service._lock_rows
        self.database.transact(deliver, self.service, batch, wirings_of(self.service), lock_rows)

    def second_is_free_while_first_is_waited_for(self, batch: list[Heard]) -> None:
        with self.database.engine.begin() as holder:
            self.lock(holder, self.first)
            delivering = threading.Thread(target=self.deliver, args=(batch,))
            delivering.start()
            until(self.somebody_waits, "the batch waits for the first row")
            try:
                self.database.transact(self.lock, self.second, True)
            except DBAPIError as error:
                pytest.fail(f"the batch holds the second row and waits for the first: {error.orig}")
        delivering.join()


@pytest.fixture
def shop(database_url: str) -> Iterator[None]:
    configure(database_url=database_url)
    yield


@pytest.fixture
def product(shop: None) -> Iterator[Meeting]:
    meeting = Meeting("product", shelves, lambda session: products.create_product(session, "Chair", 1, 10))
    yield meeting
    meeting.database.close()


@pytest.fixture
def user(shop: None) -> Iterator[Meeting]:
    meeting = Meeting("user", accounts, lambda session: users.create_user(session, "Ada", 100, uuid4()))
    yield meeting
    meeting.database.close()


def batch(service: str, meeting: Meeting, key: str, make: Make) -> tuple[list[Heard], list[UUID]]:
    """A message about the second row, then one about the first; the orders' ids are in that order too."""
    ids = sorted(uuid4() for _ in range(2))
    rows = (meeting.second, meeting.first)
    return [heard(service, key, make(row, order)) for row, order in zip(rows, ids, strict=True)], ids


def test_shelves_are_locked_in_one_order(product: Meeting) -> None:
    wanted, ids = batch("product", product, "order.placed", placed)
    product.second_is_free_while_first_is_waited_for(wanted)
    back = [heard("product", "funds.rejected", FundsRejected(order_id=order, reason="none")) for order in ids]
    product.second_is_free_while_first_is_waited_for(back)


def test_accounts_are_locked_in_one_order(user: Meeting) -> None:
    wanted, ids = batch("user", user, "stock.reserved", reserved)
    user.second_is_free_while_first_is_waited_for(wanted)
    back = [heard("user", "payment.failed", PaymentFailed(order_id=order, reason="none")) for order in ids]
    user.second_is_free_while_first_is_waited_for(back)

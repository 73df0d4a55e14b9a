"""A customer or product that is deleted at the very moment in which an order asks for it: one of the two gives way.

Two real transactions on PostgreSQL.  Free goods and customers without money are what matters here: their rows show no
trace of the order, so only the lock that the deletion takes first keeps it from overlooking what was written meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from lab.servers import Databases
from patterns.database import Database, Session
from patterns.engine import database_url as url_of
from patterns.errors import Conflict, NotFound
from patterns.settings import configure
from patterns.shop import Line
from product import crud as shelves
from product.models import products, reservation_lines, reservations
from tests.flows.words import until
from user import crud as accounts
from user.models import deposits, holds, users

pytestmark = pytest.mark.real

Work = Callable[[Session], Any]


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Database]:
    url = databases.fresh((request.param,))
    configure(database_url=url)
    made = Database(request.param, url_of(request.param))
    made.create_tables(import_module(f"{request.param}.models").metadata)
    yield made
    made.close()
    databases.drop(url)


of_users = pytest.mark.parametrize("database", ["user"], indirect=True)
of_products = pytest.mark.parametrize("database", ["product"], indirect=True)


def meet(database: Database, first: Work, second: Work, *, undo: bool = False) -> Any:
    """Do the first; the second while the first is not committed yet; answers what the second answered, or raised."""
    answer: list[Any] = []

    def follow() -> None:
        try:
            answer.append(database.transact(second))
        except (Conflict, NotFound) as refusal:
            answer.append(refusal)

    with database.engine.connect() as session:
        first(session)
        following = threading.Thread(target=follow)
        following.start()
        until(lambda: somebody_waits(database) or not following.is_alive(), "the second waits for the first")
        session.rollback() if undo else session.commit()
    following.join(30)
    return answer[0]


def somebody_waits(database: Database) -> bool:
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    return bool(database.read(lambda session: session.execute(waiting).scalar_one()))


def crowd(tasks: list[Callable[[], Any]]) -> None:
    """Do all of them at once, eight at a time; only a Conflict is taken for an answer."""
    with ThreadPoolExecutor(8) as people:
        for error in [one.exception() for one in [people.submit(task) for task in tasks]]:
            if error is not None and not isinstance(error, Conflict):
                raise error


def newcomer(database: Database) -> int:
    return int(database.transact(accounts.create_user, "Ada", 0, uuid4()).id)


def ware(database: Database) -> int:
    return int(database.transact(shelves.create_product, "Chair", 0, 10).id)


def hold(user: int, order_id: UUID, cents: int = 0) -> Work:
    return lambda session: accounts.hold(session, order_id, user, cents)


def reserve(product: int, order_id: UUID, pieces: int = 2) -> Work:
    lines = (Line(product_id=product, quantity=pieces),)
    return lambda session: shelves.reserve(session, order_id, 1, lines, None)


def state(database: Database, table: Any, order_id: UUID) -> str:
    found = select(table.c.state).where(table.c.order_id == order_id)
    return str(database.read(lambda session: session.execute(found).scalar_one()))


def there(database: Database, table: Any, key: int) -> bool:
    found = select(table.c.id).where(table.c.id == key)
    return bool(database.read(lambda session: session.execute(found).one_or_none()))


@of_users
@pytest.mark.parametrize("cents", [0, 5])
def test_a_customer_for_whom_an_order_just_asked_is_not_deleted(database: Database, cents: int) -> None:
    """Whether the money was held or refused: the order stands in the customer's name."""
    user, order_id = newcomer(database), uuid4()
    refusal = meet(database, hold(user, order_id, cents), lambda session: accounts.delete_user(session, user))
    assert isinstance(refusal, Conflict) and "orders were placed" in str(refusal)
    assert there(database, users, user)
    assert state(database, holds, order_id) == ("REJECTED" if cents else "HELD")


@of_users
@pytest.mark.parametrize("cents", [0, 5])
def test_no_money_is_held_for_a_customer_who_is_just_deleted(database: Database, cents: int) -> None:
    user, order_id = newcomer(database), uuid4()
    why = meet(database, lambda session: accounts.delete_user(session, user), hold(user, order_id, cents))
    assert why == f"user {user} does not exist"
    assert not there(database, users, user) and state(database, holds, order_id) == "REJECTED"


@of_users
def test_a_hold_or_a_deletion_that_is_rolled_back_is_in_nobodys_way(database: Database) -> None:
    user, order_id = newcomer(database), uuid4()
    assert meet(database, lambda session: accounts.delete_user(session, user), hold(user, order_id), undo=True) is None
    assert state(database, holds, order_id) == "HELD"
    other = newcomer(database)
    assert meet(database, hold(other, uuid4()), lambda session: accounts.delete_user(session, other), undo=True) is None
    assert not there(database, users, other)


@of_users
def test_a_deposit_and_a_deletion_that_meet_lose_no_money(database: Database) -> None:
    user = newcomer(database)
    pay = lambda session: accounts.deposit(session, user, 5, uuid4())  # noqa: E731
    assert isinstance(meet(database, pay, lambda session: accounts.delete_user(session, user)), Conflict)
    other = newcomer(database)
    pay_other = lambda session: accounts.deposit(session, other, 5, uuid4())  # noqa: E731
    assert isinstance(meet(database, lambda session: accounts.delete_user(session, other), pay_other), NotFound)
    known = select(deposits.c.user_id).where(deposits.c.user_id.in_([user, other]))
    assert database.read(lambda session: list(session.execute(known).scalars())) == [user]


@of_products
def test_a_product_that_an_order_just_reserved_is_not_deleted(database: Database) -> None:
    product, order_id = ware(database), uuid4()
    refusal = meet(database, reserve(product, order_id), lambda session: shelves.delete_product(session, product))
    assert isinstance(refusal, Conflict) and there(database, products, product)


@of_products
def test_a_product_whose_order_came_and_went_meanwhile_is_not_deleted(database: Database) -> None:
    """Reserved and released while the deletion waited: the shelf looks as before, but the order's lines name it."""
    product, order_id = ware(database), uuid4()

    def come_and_go(session: Session) -> None:
        assert not isinstance(reserve(product, order_id)(session), str)
        shelves.release(session, order_id)

    assert isinstance(meet(database, come_and_go, lambda session: shelves.delete_product(session, product)), Conflict)


@of_products
def test_nothing_is_reserved_of_a_product_that_is_just_deleted(database: Database) -> None:
    product, order_id = ware(database), uuid4()
    why = meet(database, lambda session: shelves.delete_product(session, product), reserve(product, order_id))
    assert why == f"product {product} does not exist"
    assert state(database, reservations, order_id) == "REJECTED"


@of_users
def test_in_a_crowd_too_nothing_is_held_for_nobody(database: Database) -> None:
    people = [newcomer(database) for _ in range(20)]
    crowd([task for user in people for task in (
        *[partial(database.transact, hold(user, uuid4())) for _ in range(3)],
        partial(database.transact, accounts.delete_user, user),
    )])
    orphans = select(holds).where(holds.c.state == "HELD", holds.c.user_id.not_in(select(users.c.id)))
    assert not database.read(lambda session: list(session.execute(orphans)))


@of_products
def test_in_a_crowd_too_nothing_is_reserved_of_nothing(database: Database) -> None:
    goods = [ware(database) for _ in range(20)]
    crowd([task for product in goods for task in (
        *[partial(database.transact, reserve(product, uuid4())) for _ in range(3)],
        partial(database.transact, shelves.delete_product, product),
    )])
    orphans = select(reservation_lines).where(reservation_lines.c.product_id.not_in(select(products.c.id)))
    assert not database.read(lambda session: list(session.execute(orphans)))

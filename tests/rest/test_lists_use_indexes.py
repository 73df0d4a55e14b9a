"""Every list is read from an index, whatever it is filtered by: neither sorted, nor searched row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text

from lab.servers import Databases
from patterns.database import Database, Session
from patterns.engine import database_url as url_of
from patterns.engine import sqlite_url
from patterns.pages import Page
from patterns.settings import configure

SERVICES = ("user", "product", "payment", "delivery", "notification")
MOMENT = (1795267889.5, UUID(int=7))
STEPS: list[dict[str, Any]] = [{}, {"state": "VOID"}, {"user_id": 1}, {"state": "VOID", "user_id": 1}]

LISTS: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("user", "list_users", (5,), {}),
    ("product", "list_products", (5,), {}),
    *[("product", "list_reservations", MOMENT, {"state": None, "user_id": None, **only}) for only in STEPS],
    *[("payment", "list_payments", MOMENT, {"state": None, "user_id": None, **only}) for only in STEPS],
    *[("delivery", "list_deliveries", MOMENT, {"state": None, "user_id": None, **only}) for only in STEPS],
    *[
        ("notification", "list_notifications", MOMENT, {"order_id": None, "user_id": None, **only})
        for only in ({}, {"order_id": uuid4()}, {"user_id": 1})
    ],
]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def open_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Database]]:
    home = tmp_path_factory.mktemp("home")
    if request.param == "postgresql":
        databases: Databases = request.getfixturevalue("databases")
        url = databases.fresh(SERVICES)
        request.addfinalizer(lambda: databases.drop(url))
        configure(database_url=url)

    @cache
    def opened(service: str) -> Database:
        made = Database(service, sqlite_url(home, service) if request.param == "sqlite" else url_of(service))
        request.addfinalizer(made.close)
        made.create_tables(import_module(f"{service}.models").metadata)
        return made

    yield opened


def plan(session: Session, work: Callable[[Session], Any]) -> str:
    """How the database goes about the first question that this work asks."""
    asked: list[Any] = []
    session = getattr(session, "plain", session)  # where statements can be overheard
    listening = (session, "before_cursor_execute", lambda *said: said[2].startswith("SELECT") and asked.append(said[2:4]))
    event.listen(*listening)
    try:
        work(session)
    finally:
        event.remove(*listening)
    postgresql = session.dialect.name == "postgresql"
    if postgresql:  # the tables are empty, and nothing beats reading all of nothing
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_bitmapscan = off"))
    explained = session.exec_driver_sql(f"{'EXPLAIN' if postgresql else 'EXPLAIN QUERY PLAN'} {asked[0][0]}", asked[0][1])
    return "\n".join(str(row[-1]) for row in explained)


def is_read_from_an_index(how: str) -> bool:
    assert how
    return not any(word in how for word in ("Sort", "Seq Scan", "TEMP B-TREE"))


@pytest.mark.parametrize(("service", "list_them", "after", "only"), LISTS)
@pytest.mark.parametrize("first_page", [True, False])
def test_a_list_is_read_from_an_index(
    open_database: Callable[[str], Database], service: str, list_them: str, after: tuple[Any, ...], only: dict[str, Any],
    first_page: bool,
) -> None:
    crud = import_module(f"{service}.crud")
    page = Page(10, () if first_page else after, newest_first=len(after) > 1)
    how = open_database(service).transact(plan, lambda session: getattr(crud, list_them)(session, page, *only.values()))
    assert is_read_from_an_index(how), how


def test_a_list_without_an_index_is_found_out(open_database: Callable[[str], Database]) -> None:
    from payment.models import payments

    def unserved(session: Session) -> Any:
        return Page(10, (1795267889.5, "no reason")).rows(session, payments, "changed_at", "reason", user_id=1)

    assert not is_read_from_an_index(open_database("payment").read(plan, unserved))

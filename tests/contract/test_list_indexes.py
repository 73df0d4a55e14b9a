"""Lists of orders are read from an index in their order: the thousandth page costs as much as the first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from order.models import SHOWN, metadata, orders
from patterns.database import Database, Session
from patterns.engine import sqlite_url
from patterns.pages import Page

USUAL = {
    "user_id": 1, "mode": "topic", "status": "SUCCESS", "saga_state": "COMPLETED", "amount_cents": 5, "fingerprint": "f",
}
RARE: dict[str, dict[str, Any]] = {
    "all": {}, "of a user": {"user_id": 7}, "by status": {"status": "FAILED"}, "by mode": {"mode": "saga"},
}
MANY, FEW = 5_000, 60


@pytest.fixture(scope="module", params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.real)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Many usual orders, and among them a few of each rare kind."""
    where, databases = str(sqlite_url(tmp_path_factory.mktemp("orders"), "order")), None
    if request.param == "PostgreSQL":
        databases = request.getfixturevalue("databases")
        shop = databases.fresh()
        where = shop.replace("{service}", "order").replace("postgresql:", "postgresql+psycopg:")
    opened = Database("order", where)
    opened.create_tables(metadata)
    opened.transact(fill)
    opened.transact(lambda session: session.execute(text("ANALYZE")))
    yield opened
    opened.close()
    if databases is not None:
        databases.drop(shop)


def fill(session: Session) -> None:
    kinds = [rare for rare in RARE.values() if rare] * FEW + [{}] * MANY
    session.execute(insert(orders), [
        {**USUAL, **kind, "id": UUID(int=number), "placed_at": number * 0.5, "deadline_at": 0.0, "settled_at": 1.0}
        for number, kind in enumerate(kinds)  # the rare ones are the oldest: to read the whole list for them would be slow
    ])


def plan(session: Session, query: Any) -> str:
    """How the database reads this, as it says itself."""
    asked = str(query.compile(dialect=session.dialect, compile_kwargs={"literal_binds": True})).replace("%%", "%")
    explain = "EXPLAIN QUERY PLAN" if session.dialect.name == "sqlite" else "EXPLAIN"
    return "\n".join(str(row[-1]) for row in session.exec_driver_sql(f"{explain} {asked}"))


@pytest.mark.parametrize("kind", RARE)
@pytest.mark.parametrize("after", [(), (MANY * 0.25, UUID(int=MANY // 2))], ids=["first page", "later page"])
def test_a_page_is_read_in_the_order_of_an_index(database: Database, kind: str, after: tuple[Any, ...]) -> None:
    wanted = [orders.c[name] == value for name, value in RARE[kind].items()]
    page = Page(50, after, newest_first=True)
    query = page.of(select(orders).where(SHOWN, *wanted), orders.c.placed_at, orders.c.id)
    index = f"orders_by_{next(iter(RARE[kind]))}" if wanted else "orders_in_time"
    said = database.read(plan, query)
    assert index in said, said
    assert "sort" not in said.lower() and "temp b-tree" not in said.lower(), said

"""Rows that several share: locked by everybody in one order, and removed only while nobody needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Uuid, insert, select
from sqlalchemy.dialects.postgresql.psycopg import dialect

from patterns.database import Database, Session
from patterns.locking import lock, of_orders
from patterns.removal import remove

metadata = MetaData()
shelf = Table("shelf", metadata, Column("id", Integer, primary_key=True), Column("count", Integer, nullable=False))
lines = Table("lines", metadata, Column("order_id", Uuid, nullable=False), Column("product_id", Integer, nullable=False))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database("own", f"sqlite:///{tmp_path}/own.db")
    made.create_tables(metadata)
    made.transact(lambda session: session.execute(insert(shelf), [{"id": 1, "count": 0}, {"id": 2, "count": 3}]))
    yield made
    made.close()


class OnPostgreSQL:
    """A session that notes what PostgreSQL would be told."""

    def __init__(self) -> None:
        self.dialect = SimpleNamespace(name="postgresql")
        self.said: list[tuple[str, Any]] = []

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        self.said.append((" ".join(str(statement.compile(dialect=dialect())).split()), parameters))
        return SimpleNamespace(rowcount=1)


def test_rows_are_locked_the_smallest_id_first_whoever_names_them() -> None:
    session = OnPostgreSQL()
    lock(cast("Session", session), shelf, {2, 1})
    assert session.said == [(
        "SELECT shelf.id FROM shelf WHERE shelf.id = ANY (%(wanted)s::INTEGER[]) ORDER BY shelf.id FOR UPDATE",
        {"wanted": [1, 2]})]


def test_what_these_orders_name_is_found_and_nothing_else(database: Database) -> None:
    orders: list[UUID] = [uuid4() for _ in range(3)]
    named = [{"order_id": order, "product_id": number} for number, order in enumerate([*orders, orders[0]])]
    database.transact(lambda session: session.execute(insert(lines), named))
    assert database.read(of_orders, lines.c.product_id, orders[:2]) == {0, 1, 3}
    database.read(lambda session: lock(session, shelf, [1]))


def test_only_this_row_is_removed_and_only_if_nobody_needs_it(database: Database) -> None:
    unneeded = shelf.c.count == 0
    assert [database.transact(remove, shelf, key, unneeded) for key in (2, 9, 1, 1)] == [False, False, True, False]
    assert database.read(lambda session: session.execute(select(shelf.c.id)).scalars().all()) == [2]


def test_a_row_is_locked_before_it_is_judged() -> None:
    session = OnPostgreSQL()
    assert remove(cast("Session", session), shelf, 1, shelf.c.count == 0)
    assert [said for said, _ in session.said] == [
        "SELECT shelf.id FROM shelf WHERE shelf.id = %(id_1)s::INTEGER FOR UPDATE",
        "DELETE FROM shelf WHERE shelf.id = %(id_1)s::INTEGER AND shelf.count = %(count_1)s::INTEGER",
    ]

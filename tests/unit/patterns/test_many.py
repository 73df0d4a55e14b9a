"""Rows that are put in at once: those that are new are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Column, Double, Integer, MetaData, Row, Table, insert, select
from sqlalchemy.dialects.postgresql.psycopg import dialect

from patterns.database import Database, Session
from patterns.many import insert_new

metadata = MetaData()
shelf = Table(
    "shelf", metadata, Column("id", Integer, primary_key=True), Column("count", Integer, nullable=False),
    Column("at", Double))

NOW = 1000.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database("own", f"sqlite:///{tmp_path}/own.db", lambda: NOW)
    made.create_tables(metadata)
    made.transact(lambda session: session.execute(insert(shelf), [{"id": 1, "count": 3}, {"id": 2, "count": 0}]))
    yield made
    made.close()


def rows(session: Session) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(select(shelf).order_by(shelf.c.id))]


@pytest.mark.parametrize(("ids", "new"), [([3], {3}), ([1], set()), ([3, 1, 4], {3, 4}), ([1, 2], set())])
def test_only_what_is_new_is_put_in_and_told(ids: list[int], new: set[int], database: Database) -> None:
    def work(session: Session) -> Iterable[Row[Any]]:
        return insert_new(session, [{"id": one, "count": 7} for one in ids], shelf.c.id, (("at", 5.0),))

    assert {row.id for row in database.transact(work)} == new
    assert database.read(rows) == [(1, 3, None), (2, 0, None), *((one, 7, NOW + 5) for one in sorted(new))]


def test_on_postgresql_many_rows_are_one_parameter_and_one_row_is_itself() -> None:
    said: list[tuple[str, Any]] = []

    def execute(statement: Any, parameters: Any) -> Any:
        said.append((" ".join(str(statement.compile(dialect=dialect())).split()), parameters))
        return "what is new"

    session = cast("Session", SimpleNamespace(dialect=SimpleNamespace(name="postgresql"), execute=execute))
    many, one = [{"id": 1, "count": 7}, {"id": 2, "count": 8}], [{"id": 1, "count": 7}]
    for rows in (many, one):
        assert insert_new(session, rows, shelf.c.id, (("at", 5.0),)) == "what is new", "it is looked at after the commit"
    moment = "(CAST(extract(epoch from statement_timestamp()) AS double precision) + %(param_1)s)"
    assert said == [
        (f"INSERT INTO shelf (id, count, at) SELECT anon_1.id, anon_1.count, {moment} AS anon_2 "
         "FROM json_to_recordset(CAST(%(rows)s::VARCHAR AS JSON)) AS anon_1(id INTEGER, count INTEGER) "
         "ON CONFLICT DO NOTHING RETURNING shelf.id", {"rows": many}),
        (f"INSERT INTO shelf (at) VALUES ({moment}) ON CONFLICT DO NOTHING RETURNING shelf.id", one[0]),
    ]

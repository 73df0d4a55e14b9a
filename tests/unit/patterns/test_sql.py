"""What PostgreSQL and SQLite are told differently."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg

from patterns.sql import among, beside_key, insert_for, now, timed, times

things = Table("things", MetaData(), Column("id", BigInteger), Column("name", String), Column("count", Integer))
DIALECTS: dict[str, Any] = {"postgresql": psycopg.dialect(), "sqlite": sqlite.dialect()}  # type: ignore[no-untyped-call]


def told(what: Any, dialect: str) -> str:
    """In the database's own words, with its parameters in their places."""
    return str(what.compile(dialect=DIALECTS[dialect], compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize(("dialect", "clock"), [
    ("postgresql", "CAST(extract(epoch from statement_timestamp()) AS double precision)"), ("sqlite", "orderflow_now()"),
])
def test_the_time_is_the_databases_own_and_may_be_later(dialect: str, clock: str) -> None:
    assert told(now(), dialect) == clock
    assert told(now(30), dialect) == f"({clock} + 30.0)" and told(now(-5), dialect) == f"({clock} + -5.0)"
    assert now(30) is now(30)


def test_several_values_are_one_parameter() -> None:
    said = {name: str(among(name, things.c.id, "ids").compile(dialect=dialect)) for name, dialect in DIALECTS.items()}
    assert said == {
        "postgresql": "things.id = ANY (%(ids)s::BIGINT[])",
        "sqlite": "things.id IN (SELECT anon_1.value \nFROM json_each(?) AS anon_1)"}


def test_a_guard_beside_a_key_is_in_words_that_no_index_serves() -> None:
    assert told(beside_key(things.c.count), "postgresql") == "things.count + 0"
    assert told(beside_key(things.c.name), "postgresql") == "things.name || ''"


def test_values_that_are_times_are_told_apart() -> None:
    assert timed({"a": 1, "at": now(30), "b": None}) == ({"a": 1, "b": None}, (("at", 30),))
    assert times((("at", 30),)) == {"at": now(30)}


def test_an_insert_may_find_its_row_there_in_either_database() -> None:
    for dialect in DIALECTS:
        assert told(insert_for(dialect)(things).values(id=1).on_conflict_do_nothing(), dialect).endswith(
            "ON CONFLICT DO NOTHING")
    assert [type(insert_for(dialect)(things)) for dialect in DIALECTS] == [postgresql.Insert, sqlite.Insert]

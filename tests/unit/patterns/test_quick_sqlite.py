"""The quick way to SQLite: past SQLAlchemy, in one transaction with what goes through it, and read as SQLAlchemy reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    event,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from patterns.database import Database, Session
from patterns.errors import CommitUnknown, DatabaseUnavailable
from patterns.quick import plain
from patterns.quick_sqlite import QuickSQLite
from patterns.sql import among, now
from tests.unit.patterns.goods import COUNT, PUT, TAKE, counted, shelf, stocked, things

NOW = 1000.5


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database("product", f"sqlite:///{tmp_path}/product.db", lambda: NOW)
    yield stocked(made)
    made.close()


@pytest.fixture
def asked(database: Database) -> list[str]:
    """The first words of what SQLAlchemy was asked to execute."""
    found: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _, __, statement, *___: found.append(statement.split()[0]))
    return found


def test_plain_statements_go_past_sqlalchemy_and_each_tells_how_many_rows_it_touched(
    database: Database, asked: list[str]
) -> None:
    def work(session: Session) -> list[Any]:
        session.execute(PUT, {"id": 2, "count": 0})
        taken = [session.execute(TAKE, {"which": one}) for one in (1, 9, 1)]
        return [[(one.rowcount, [row.count for row in one]) for one in taken], session.execute(COUNT, {"which": 1}).one()]

    assert database.transact(work) == [[(1, [2]), (0, []), (1, [1])], (1,)]
    assert counted(database) == 1 and asked == []


def test_an_answer_may_be_looked_at_after_the_commit(database: Database) -> None:
    assert database.transact(lambda session: session.execute(TAKE, {"which": 1})).scalar_one() == 2


def test_what_sqlalchemy_executes_is_in_the_same_transaction(database: Database, asked: list[str]) -> None:
    def work(session: Session, raises: type[Exception] | None = None) -> None:
        session.execute(PUT, [{"id": 5, "count": 1}, {"id": 6, "count": 1}])
        session.execute(TAKE, {"which": 1})
        assert session.execute(text("SELECT count FROM shelf WHERE id = 1")).scalar_one() < 3
        assert plain(session).execute(COUNT, {"which": 5}).scalar_one() == 1
        if raises:
            raise raises

    with pytest.raises(LookupError):
        database.transact(work, LookupError)
    assert (counted(database), counted(database, 5)) == (3, None)
    database.transact(work)
    assert (counted(database), counted(database, 6)) == (2, 1)
    assert asked == ["INSERT", "SELECT", "SELECT"] * 2


@pytest.mark.parametrize("first", [lambda session: session.execute(text("SELECT 1")), lambda session: plain(session)])
def test_a_transaction_that_begins_with_sqlalchemys_is_one_all_the_same(first: Any, database: Database) -> None:
    def work(session: Session) -> None:
        first(session)
        plain(session).exec_driver_sql("UPDATE shelf SET count = 9")
        raise LookupError

    with pytest.raises(LookupError):
        database.transact(work)
    assert counted(database) == 3


def test_values_come_back_as_they_were_given(database: Database, asked: list[str]) -> None:
    thing = {"id": uuid4(), "name": "50% of 'it'", "more": {"a": [1, None]}, "cents": 2**60, "at": 1.5, "new": True,
             "day": datetime(2026, 11, 30, 1, 2, 3, 4), "level": 1}

    def work(session: Session) -> Any:
        row = session.execute(insert(things).returning(things), thing).one()
        assert session.execute(select(things).where(things.c.id == thing["id"], things.c.at < now())).one() == row
        assert session.execute(select(things)).one() == plain(session).execute(select(things)).one() == row
        return row

    row = database.transact(work)
    assert dict(row._mapping) == thing and row[1] == thing["name"] and asked == ["SELECT"]
    assert database.read(lambda session: session.execute(select(func.count(), func.max(things.c.cents))).one()) == (1, 2**60)
    assert database.read(lambda session: session.execute(select(now(5))).scalar_one()) == NOW + 5


def test_what_python_fills_in_is_filled_in(database: Database) -> None:
    thing = uuid4()
    database.transact(lambda session: session.execute(insert(things), {"id": thing}))
    row = database.read(lambda session: session.execute(select(things)).one())
    assert row == (thing, None, None, None, None, None, None, 7)


def test_many_values_are_one_parameter_and_ids_are_found(database: Database, asked: list[str]) -> None:
    ids = [uuid4() for _ in range(3)]
    for one in ids[:2]:
        database.transact(lambda session, one=one: session.execute(insert(things), {"id": one, "level": 1}))
    some = select(things.c.id).where(among("sqlite", things.c.id, "ids"))
    assert set(database.read(lambda session: session.execute(some, {"ids": ids[1:]}).scalars())) == {ids[1]}
    numbers = select(shelf.c.id).where(among("sqlite", shelf.c.id, "ids"))
    assert database.read(lambda session: session.execute(numbers, {"ids": [1, 2]}).scalars().all()) == [1]
    assert asked == []


def test_columns_that_are_not_what_the_statement_says_are_noticed(database: Database) -> None:
    some = select(text("1"), literal(True))
    with pytest.raises(ValueError, match="not the 1 columns"):
        database.read(lambda session: session.execute(some, {}))


def test_what_is_refused_is_raised_at_once_as_sqlalchemy_says_it(database: Database) -> None:
    def work(session: Session) -> None:
        with pytest.raises(IntegrityError) as raised:
            session.execute(PUT, {"id": 1, "count": 0})
        assert (raised.value.statement or "").startswith("INSERT") and raised.value.params == {"id": 1, "count": 0}
        assert isinstance(raised.value.orig, sqlite3.IntegrityError) and not raised.value.connection_invalidated
        with pytest.raises(KeyError):
            session.execute(COUNT, {"other": 1})
        with pytest.raises(DBAPIError):
            session.execute(COUNT, {"which": object()})
        session.execute(TAKE, {"which": 1})

    database.transact(work)
    assert counted(database) == 2


def test_a_savepoint_takes_back_what_was_done_since(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(TAKE, {"which": 1})
        savepoint = session.begin_nested()
        session.execute(TAKE, {"which": 1})
        savepoint.rollback()
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(PUT, {"id": 9, "count": 1})
            session.execute(PUT, {"id": 1, "count": 0})
        with session.begin_nested():
            session.execute(PUT, {"id": 7, "count": 7})

    database.transact(work)
    assert [counted(database, which) for which in (1, 7, 9)] == [2, 7, None]


def test_a_question_is_answered_from_one_snapshot_and_changes_nothing(database: Database) -> None:
    def question(session: Session) -> tuple[Any, Any]:
        before = session.execute(COUNT, {"which": 1}).scalar_one()
        database.transact(lambda other: other.execute(TAKE, {"which": 1}))
        return before, plain(session).execute(COUNT, {"which": 1}).scalar_one()

    assert database.read(question) == (3, 3) and counted(database) == 2
    database.read(lambda session: session.execute(TAKE, {"which": 1}))
    assert counted(database) == 2


def test_whoever_writes_begins_as_a_writer(database: Database) -> None:
    def question_and_change(session: Session) -> None:
        session.execute(COUNT, {"which": 1})
        other = sqlite3.connect(str(database.engine.url.database), timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE shelf SET count = 0")
        other.close()
        session.execute(TAKE, {"which": 1})

    database.transact(question_and_change)
    assert counted(database) == 2


def test_a_transaction_that_asks_nothing_holds_up_nobody(database: Database) -> None:
    other = Database("product", database.engine.url)
    database.transact(lambda _: other.transact(lambda session: session.execute(TAKE, {"which": 1})))
    other.close()
    assert counted(database) == 2


def test_a_file_that_others_have_locked_is_a_database_that_is_away(database: Database) -> None:
    impatient = Database("product", database.engine.url)
    event.listen(impatient.engine, "connect", lambda driver, _: driver.execute("PRAGMA busy_timeout=0"))
    with sqlite3.connect(str(database.engine.url.database), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="database is locked"):
            impatient.transact(lambda session: session.execute(TAKE, {"which": 1}))
        assert impatient.read(lambda session: session.execute(COUNT, {"which": 1}).scalar_one()) == 3
        other.execute("ROLLBACK")
    other.close()
    impatient.transact(lambda session: session.execute(TAKE, {"which": 1}))
    impatient.close()
    assert counted(database) == 2


def test_a_connection_that_is_gone_is_told_and_not_used_again(database: Database) -> None:
    def work(session: Any) -> None:
        session.execute(TAKE, {"which": 1})
        session.driver.close()
        session.execute(COUNT, {"which": 1})

    with pytest.raises(DatabaseUnavailable, match="closed database") as raised:
        database.transact(work)
    assert not isinstance(raised.value, CommitUnknown) and isinstance(raised.value.__cause__, ProgrammingError)
    assert counted(database) == 3


def test_nobody_knows_of_a_commit_whose_connection_is_gone(database: Database) -> None:
    def work(session: Any) -> None:
        session.execute(TAKE, {"which": 1})
        session.driver.close()

    with pytest.raises(CommitUnknown):
        database.transact(work)
    assert counted(database) == 3


def test_what_cannot_be_committed_is_refused_at_the_commit(database: Database) -> None:
    checked = Table("checked", MetaData(), Column("id", Integer, primary_key=True), Column("shelf", Integer))
    database.transact(lambda session: session.execute(text(
        "CREATE TABLE checked (id INTEGER, shelf INTEGER REFERENCES shelf DEFERRABLE INITIALLY DEFERRED)")))
    with pytest.raises(IntegrityError, match="COMMIT"):
        database.transact(lambda session: session.execute(insert(checked), {"id": 1, "shelf": 99}))
    assert database.read(lambda session: session.execute(select(checked)).all()) == []


def test_a_statement_is_made_once_for_all_sessions(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(database) == 3
    monkeypatch.setattr(type(database.engine.dialect), "statement_compiler", None)
    assert counted(database) == 3


def test_a_session_is_quick_on_sqlite(database: Database) -> None:
    assert isinstance(database.transact(lambda session: session), QuickSQLite)

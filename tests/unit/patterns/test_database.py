"""One service's transactions, on a SQLite file: what is committed, repeated, given up, and said when it is away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from patterns.database import ATTEMPTS, Database, now
from patterns.errors import CommitUnknown, DatabaseUnavailable, GaveWay
from patterns.quick import plain
from patterns.quick_sqlite import QuickSQLite
from patterns.runtime import runtime
from patterns.settings import configure
from tests.unit.patterns.simulated import in_simulated_time


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database("user", f"sqlite:///{tmp_path / 'user.db'}")
    made.create_tables(MetaData())
    made.transact(lambda session: session.execute(text("CREATE TABLE names (name TEXT)")))
    made.commits.clear()
    yield made
    made.close()


def put(session: Connection, name: str) -> str:
    session.execute(text("INSERT INTO names VALUES (:name)"), {"name": name})
    return name


def names(session: Connection, like: str = "%") -> list[str]:
    found = session.execute(text("SELECT name FROM names WHERE name LIKE :like"), {"like": like})
    return [str(name) for name in found.scalars()]


def fail(session: Connection) -> None:
    put(session, "nobody")
    raise RuntimeError("after the insert")


class Told(Exception):
    """What a driver raises."""

    def __init__(self, words: str, sqlstate: str | None = None) -> None:
        super().__init__(words)
        self.sqlstate = sqlstate


def error(words: str = "no", sqlstate: str | None = None, *, invalidated: bool = False) -> DBAPIError:
    return OperationalError("SELECT", {}, Told(words, sqlstate), connection_invalidated=invalidated)


class Fails:
    """Work that fails so many times before it works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0

    def __call__(self, session: Connection) -> str:
        self.tries += 1
        put(session, "once")
        if self.errors:
            raise self.errors.pop(0)
        return "done"


# -- where it is


def test_it_is_a_file_of_the_services_own_unless_it_is_told_where(tmp_path: Path) -> None:
    configure(orderflow_home=tmp_path)
    made = Database("user")
    assert made.engine is made.engine and made.engine.url.database == str(tmp_path / "user.db")
    assert made.one_writer
    made.close()


@pytest.mark.parametrize(("clock", "low", "high"), [(lambda: 5.0, 5.0, 5.0), (None, 10**9, 10**10)])
def test_its_clock_is_what_sqlite_calls_now(
    clock: Callable[[], float] | None, low: float, high: float, tmp_path: Path
) -> None:
    made = Database("user", f"sqlite:///{tmp_path / 'user.db'}", clock)
    assert low <= made.read(lambda session: session.execute(select(now())).scalar_one()) <= high
    made.close()


def test_what_is_closed_opens_again_at_its_next_use(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    first, disposed = database.engine, list[str]()
    monkeypatch.setattr(first, "dispose", lambda: disposed.append("first"))
    database.close()
    database.close()
    assert disposed == ["first"] and database.engine is not first and database.read(names) == []


# -- one transaction


def test_what_is_committed_is_counted_by_its_work_and_nothing_else_is(database: Database) -> None:
    assert database.transact(put, "Ada") == "Ada" and database.transact_one(put, name="Grace") == "Grace"
    assert database.transact(put, name="Edsger") == "Edsger"
    with pytest.raises(RuntimeError):
        database.transact(fail)
    assert database.read(names) == ["Ada", "Grace", "Edsger"] and database.read(names, like="A%") == ["Ada"]
    assert database.commits == Counter({"put": 3})


def test_sqlites_writers_take_turns_and_others_do_not(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(_: Connection) -> bool:
        return bool(database._writing.locked())

    assert database.transact(held) is True and database.read(held) is False
    monkeypatch.setattr(Database, "one_writer", False)
    assert database.transact(held) is False


def asked(session: Any) -> tuple[bool, bool]:
    return session._at_once, session._reading


def test_a_session_knows_what_it_is_for(database: Database) -> None:
    assert [ask(asked) for ask in (database.transact, database.transact_one, database.read)] == [
        (False, False), (True, False), (False, True)]


def test_a_question_waits_for_no_writer(database: Database) -> None:
    database.transact(lambda session: put(session, "Ada") and database.read(names))  # which else would wait for ever


# -- again, or given up


@pytest.mark.parametrize("state", ["40001", "40P01"])
@in_simulated_time
def test_work_that_was_in_the_way_is_done_again_after_a_pause_and_once(state: str, tmp_path: Path) -> None:
    made, work = Database("user", f"sqlite:///{tmp_path / 'user.db'}"), Fails(error(sqlstate=state), error(sqlstate=state))
    made.transact(lambda session: session.execute(text("CREATE TABLE names (name TEXT)")))
    began = runtime().monotonic()
    assert made.transact(work) == "done" and (work.tries, made.read(names)) == (3, ["once"])
    assert 0 < runtime().monotonic() - began <= 0.02 + 0.04
    assert made.commits["work"] == 1
    made.close()


@in_simulated_time
def test_nobody_pauses_who_was_not_in_the_way(tmp_path: Path) -> None:
    made, began = Database("user", f"sqlite:///{tmp_path / 'user.db'}"), runtime().monotonic()
    made.transact(lambda session: session.execute(text("CREATE TABLE names (name TEXT)")))
    assert runtime().monotonic() == began
    made.close()


def test_who_is_in_the_way_too_often_gives_way(database: Database) -> None:
    work = Fails(*[error("deadlock\nDETAIL: of two", "40P01")] * ATTEMPTS)
    with pytest.raises(GaveWay, match=f"^Gave way {ATTEMPTS} times: deadlock$"):
        database.transact(work)
    assert work.tries == ATTEMPTS and database.read(names) == [] and not database.commits


@pytest.mark.parametrize("state", ["23505", None])
def test_what_would_fail_again_is_not_tried_again(state: str | None, database: Database) -> None:
    work = Fails(error("no such table", state))
    with pytest.raises(OperationalError):
        database.transact(work)
    assert work.tries == 1


def test_an_error_of_its_own_is_told_as_such_also_at_the_last_try(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        database.transact(Fails(*[error(sqlstate="40001")] * (ATTEMPTS - 1), error("no such table", "42P01")))


@pytest.mark.parametrize(("told", "raised"), [(error(invalidated=True), CommitUnknown), (error(), OperationalError)])
def test_nobody_knows_what_became_of_a_commit_during_which_the_line_broke(
    told: Exception, raised: type[Exception], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object) -> None:
        raise told

    with monkeypatch.context() as patches:
        patches.setattr(QuickSQLite, "commit", breaks)
        with pytest.raises(raised, match="user database broke off" if raised is CommitUnknown else "no"):
            database.transact(put, "Ada")
    assert database.read(names) == [] and not database.commits


# -- what is said when it is away


@pytest.mark.parametrize("told", [
    *(error(sqlstate=state) for state in ("08006", "53300", "57P01", "57014", "55P03")),
    error("could not connect to server"), error("database is locked"), error(invalidated=True),
])
def test_a_database_that_is_away_is_unavailable(told: DBAPIError, database: Database) -> None:
    for ask in (database.transact, database.read, database.transact_one):
        with pytest.raises(DatabaseUnavailable, match=f"The database does not answer: {told.orig}"):
            ask(Fails(told))


@pytest.mark.parametrize("told", [error("no such table"), error("connect by", "42601"), error(sqlstate="55000")])
def test_any_other_error_stays_what_it_is(told: DBAPIError, database: Database) -> None:
    with pytest.raises(OperationalError) as caught:
        database.read(Fails(told))
    assert caught.value is told


def test_an_error_without_words_is_told_by_its_name(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"The database does not answer: Told$"):
        database.read(Fails(error(" ", "57P01")))


def test_when_all_connections_are_in_use_it_is_unavailable(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="All connections to the database are in use: all 40"):
        database.read(Fails(PoolTimeout("all 40")))


# -- tables


def test_tables_that_are_missing_are_made_and_what_makes_them_is_told_what_it_needs(database: Database) -> None:
    metadata = MetaData()
    Table("made", metadata, Column("id", String, primary_key=True))
    for _ in range(2):
        database.create_tables(metadata)
    assert "made" in database.read(lambda session: inspect(plain(session)).get_table_names())
    assert database.alone(put, name="Ada") == "Ada" and database.read(names) == ["Ada"]


def test_on_postgresql_one_at_a_time_makes_tables_and_waits_without_end_but_not_for_a_table(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    session = SimpleNamespace(
        dialect=SimpleNamespace(name="postgresql"), execute=lambda statement: said.append(str(statement)))
    monkeypatch.setattr(database, "transact", lambda work: work(session))
    database.alone(lambda session: session.execute("work"))
    assert said == [
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0",
        "SELECT pg_advisory_xact_lock(hashtext('orderflow.tables'))", "SET LOCAL lock_timeout = '5s'", "work",
    ]

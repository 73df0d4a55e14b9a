"""The quick way to PostgreSQL: what is sent when, and that what goes wrong is said of the right statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError

from patterns import journal, outbox
from patterns.address import Topic
from patterns.database import Database, Session
from patterns.envelope import Context, Said, seal
from patterns.errors import CommitUnknown, DatabaseUnavailable
from patterns.quick_line import Line, Told
from patterns.quick_postgresql import QuickPostgreSQL
from patterns.shop import OrderFailed
from patterns.sql import now
from tests.unit.patterns.goods import COUNT, PUT, TAKE, counted, stocked, things


@pytest.fixture
def database(database_url: str) -> Any:
    made = Database("product", database_url.replace("{service}", "product").replace("postgresql://", "postgresql+psycopg://"))
    made.create_tables(journal.outbox.metadata)
    yield stocked(made)
    made.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The first words of the statements that were sent, each time that some were."""
    found: list[list[str]] = []
    send = Line.send

    def noting(line: Line, statements: Sequence[Told]) -> Any:
        found.append([told.words.text.split()[0] for told in statements])
        return send(line, statements)

    monkeypatch.setattr(Line, "send", noting)
    return found


def test_statements_wait_until_somebody_looks_and_the_rest_goes_with_the_commit(
    database: Database, trips: list[list[str]]
) -> None:
    def work(session: Session) -> int:
        session.execute(PUT, {"id": 2, "count": 5})
        left: int = session.execute(TAKE, {"which": 2}).scalar_one()
        session.execute(TAKE, {"which": 2})
        return left

    assert database.transact(work) == 4
    assert trips == [["BEGIN", "INSERT", "UPDATE"], ["UPDATE", "COMMIT"]]
    assert counted(database, 2) == 3


def test_a_question_and_a_single_statement_need_no_transaction(database: Database, trips: list[list[str]]) -> None:
    database.transact_one(lambda session: session.execute(TAKE, {"which": 1}))
    assert counted(database) == 2
    assert trips == [["UPDATE"], ["SELECT"]]


def test_a_transaction_that_asks_nothing_sends_nothing(database: Database, trips: list[list[str]]) -> None:
    database.transact(lambda session: session.dialect.name)
    assert trips == []


def test_an_answer_may_be_looked_at_after_the_commit(database: Database) -> None:
    assert database.transact(lambda session: session.execute(TAKE, {"which": 1})).scalar_one() == 2


def test_what_is_refused_is_said_of_the_right_statement_wherever_somebody_looks(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(PUT, {"id": 8, "count": 0})
        twice = session.execute(PUT, {"id": 1, "count": 0})
        after = session.execute(TAKE, {"which": 8})
        with pytest.raises(IntegrityError) as first:
            after.one_or_none()
        assert (first.value.statement or "").startswith("INSERT") and first.value.params == {"id": 1, "count": 0}
        with pytest.raises(IntegrityError):
            twice.rowcount  # noqa: B018 (to look is what is tried)
        after.one()

    with pytest.raises(IntegrityError):
        database.transact(work)
    assert counted(database, 8) is None


def test_what_is_refused_when_nobody_looks_ends_the_transaction_at_the_commit(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(TAKE, {"which": 1})
        session.execute(PUT, {"id": 1, "count": 0})

    with pytest.raises(IntegrityError, match="INSERT INTO shelf"):
        database.transact(work)
    assert counted(database) == 3


def test_a_statement_that_was_refused_is_heard_the_next_time(database: Database) -> None:
    missing = Table("missing", MetaData(), Column("id", Integer))
    asked = select(missing.c.id)
    database.engine.dispose()
    with pytest.raises(Exception, match="does not exist"):
        database.read(lambda session: session.execute(asked).all())
    database.transact(lambda session: session.execute(text("CREATE TABLE missing (id integer)")))
    assert database.read(lambda session: session.execute(asked).all()) == []


def test_what_sqlalchemy_executes_is_in_the_same_transaction_and_in_its_turn(database: Database) -> None:
    def work(session: Session) -> list[int]:
        session.execute(TAKE, {"which": 1})
        seen = session.execute(text("SELECT count FROM shelf WHERE id = :which"), {"which": 1}).scalar_one()
        session.execute(PUT, [{"id": 5, "count": 1}, {"id": 6, "count": 1}])
        raise LookupError(seen)

    with pytest.raises(LookupError, match="2"):
        database.transact(work)
    assert counted(database) == 3 and counted(database, 5) is None
    database.transact(lambda session: session.execute(PUT, [{"id": 5, "count": 1}, {"id": 6, "count": 1}]))
    assert counted(database, 6) == 1


def test_values_come_back_as_they_were_given(database: Database) -> None:
    thing = {"id": uuid4(), "name": "50% of 'it'", "more": {"a": [1, None]}, "cents": 2**60, "at": 1.5, "new": True}

    def work(session: Session) -> Any:
        session.execute(insert(things), thing)  # its level comes from a default that SQLAlchemy knows
        return session.execute(select(things).where(things.c.id == thing["id"], things.c.at < now())).one()

    row = database.transact(work)
    assert {name: getattr(row, name) for name in thing} == thing
    assert (row.level, row.day, row[1]) == (7, None, thing["name"])
    assert dict(row._mapping)["cents"] == 2**60
    assert database.read(lambda session: session.execute(select(func.count(), func.max(things.c.cents))).one()) == (1, 2**60)


def test_a_value_that_is_missing_or_cannot_be_sent_is_said_at_once_and_spoils_nothing(database: Database) -> None:
    def work(session: Session) -> None:
        with pytest.raises(KeyError):
            session.execute(COUNT, {"other": 1})
        with pytest.raises(psycopg.ProgrammingError):
            session.execute(COUNT, {"which": object()})
        session.execute(TAKE, {"which": 1})

    database.transact(work)
    assert counted(database) == 2


def test_a_savepoint_takes_back_what_was_done_since(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(TAKE, {"which": 1})
        savepoint = session.begin_nested()
        session.execute(PUT, {"id": 9, "count": 1})
        savepoint.rollback()

    database.transact(work)
    assert counted(database) == 2 and counted(database, 9) is None


@pytest.mark.parametrize("looks", [True, False])
def test_what_is_refused_within_a_savepoint_costs_what_was_done_there_and_no_more(database: Database, looks: bool) -> None:
    def within(session: Session) -> None:
        with session.begin_nested():
            session.execute(PUT, {"id": 9, "count": 1})
            twice = session.execute(PUT, {"id": 1, "count": 0})
            if looks:
                twice.rowcount  # noqa: B018 (to look is what is tried)

    def work(session: Session) -> None:
        session.execute(TAKE, {"which": 1})
        with pytest.raises(IntegrityError):
            within(session)
        with session.begin_nested():
            session.execute(TAKE, {"which": 1})
        with pytest.raises(LookupError), session.begin_nested():
            session.execute(TAKE, {"which": 1})
            raise LookupError

    database.transact(work)
    assert counted(database) == 1 and counted(database, 9) is None


def test_more_than_the_network_holds_is_sent_and_answered(database: Database) -> None:
    long = select(func.repeat(bindparam("word", type_=String), 1000))

    def work(session: Session) -> list[int]:
        answers = [session.execute(long, {"word": "x" * 20}) for _ in range(2000)]
        return [len(answer.scalar_one()) for answer in answers]

    assert set(database.read(work)) == {20_000}


def said(number: int) -> Said:
    failed = OrderFailed(order_id=uuid4(), reason="50% of 'it' \\ \"so\"\n", user_id=number)
    sealed = seal(failed, Topic("order.failed"), Context("topic"))
    return replace(sealed, headers={**sealed.headers, "deadline": number, "nothing": None})


def test_what_is_said_goes_with_the_commit_and_is_told_once(database: Database, trips: list[list[str]]) -> None:
    first, second = said(1), said(2)
    assert list(database.transact(outbox.add, [first])) == [first]
    assert trips == [["BEGIN", "INSERT", "COMMIT"]]
    assert list(database.transact(outbox.add, [first, second])) == [second]


def test_a_number_with_a_point_is_one_where_nothing_beside_it_says_so(database: Database) -> None:
    assert database.transact_one(outbox.claim) == []  # its pauses are such numbers: CASE attempts WHEN … THEN $1


def test_rows_that_are_written_at_once_are_what_each_would_be(database: Database) -> None:
    letters = [said(number) for number in (1, 2, 3)]
    database.transact(outbox.add, letters[:1])
    database.transact(outbox.add, letters[1:])
    rows = database.read(lambda session: session.execute(select(journal.outbox).order_by(journal.outbox.c.id)).all())
    assert [outbox.Said(**{name: getattr(row, name) for name in outbox.Said.__slots__}) for row in rows] == letters
    assert all(0 <= row.due_at - row.said_at - outbox.GRACE_SECONDS < 0.001 and row.sent_at is None for row in rows)


def cut_off(session: Session) -> None:
    """PostgreSQL ends this session's connection."""
    pid = session.execute(select(func.pg_backend_pid())).scalar_one()
    url = session.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_that_breaks_is_told_and_not_used_again(database: Database) -> None:
    def work(session: Session) -> None:
        cut_off(session)
        session.execute(COUNT, {"which": 1}).one()

    with pytest.raises(DatabaseUnavailable) as raised:
        database.transact(work)
    assert not isinstance(raised.value, CommitUnknown) and "does not answer" in str(raised.value)
    assert counted(database) == 3


def test_a_table_that_a_migration_changed_costs_the_connection_that_knew_the_old_one(database: Database) -> None:
    assert counted(database) == 3
    database.transact(lambda session: session.execute(text("ALTER TABLE shelf ALTER count TYPE bigint")))
    with pytest.raises(DatabaseUnavailable):  # it is waited for, as a database that is away
        counted(database)
    assert counted(database) == 3


def test_nobody_knows_of_a_commit_whose_connection_breaks(database: Database) -> None:
    def work(session: Session) -> None:
        session.execute(TAKE, {"which": 1}).one()
        cut_off(session)

    with pytest.raises(CommitUnknown):
        database.transact(work)
    assert counted(database) == 3


def test_when_one_connection_is_found_broken_those_beside_it_are_not_trusted(database: Database) -> None:
    def both(session: Session) -> None:
        database.transact(cut_off)  # the other connection, which goes back broken
        cut_off(session)
        session.execute(COUNT, {"which": 1}).one()

    with pytest.raises(DatabaseUnavailable):
        database.transact(both)
    assert counted(database) == 3


def test_a_session_is_quick_on_postgresql(database: Database) -> None:
    assert isinstance(database.transact(lambda session: session), QuickPostgreSQL)

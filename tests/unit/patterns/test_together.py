"""Handlers side by side: like statements together, each answered for itself; and what must not be side by side is not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, event, insert, select, text, update

from patterns.database import Database, Session
from patterns.quick_line import Line, Told
from patterns.together import together

metadata = MetaData()
shelf = Table("shelf", metadata, Column("id", Integer, primary_key=True), Column("count", Integer, nullable=False))

TAKE = (
    update(shelf).where(shelf.c.id == bindparam("which"), shelf.c.count >= bindparam("many"))
    .values(count=shelf.c.count - bindparam("many")).returning(shelf.c.count)
)
GIVE = (
    update(shelf).where(shelf.c.id == bindparam("which")).values(count=shelf.c.count + bindparam("many"))
    .returning(shelf.c.count)
)
PUT = insert(shelf)
COUNT = select(shelf.c.count).where(shelf.c.id == bindparam("which"))


@pytest.fixture
def database(own_database: Database) -> Database:
    own_database.create_tables(metadata)
    own_database.transact(lambda session: session.execute(PUT, [{"id": 1, "count": 3}, {"id": 2, "count": 0}]))
    return own_database


def take(session: Session, which: int, many: int) -> int | None:
    """A handler's part: how much is left, or None when there was not so much."""
    left: int | None = session.execute(TAKE, {"which": which, "many": many}).scalar_one_or_none()
    return left


def test_each_statement_is_judged_by_itself_in_the_order_of_the_work(database: Database) -> None:
    works = [(number, partial(take, which=1, many=2)) for number in range(3)]
    works.append((9, partial(take, which=1, many=1)))
    assert database.transact(together, works) == [1, None, None, 0]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements were sent to PostgreSQL, each time that some were; but for BEGIN and COMMIT."""
    found: list[int] = []
    send = Line.send

    def noting(line: Line, statements: Sequence[Told]) -> Any:
        counted = sum(told.words.text not in ("BEGIN", "COMMIT") for told in statements)
        found.extend([counted] if counted else [])
        return send(line, statements)

    monkeypatch.setattr(Line, "send", noting)
    return found


def test_like_statements_are_sent_together(database: Database, sent: list[int]) -> None:
    def twice(session: Session) -> list[Any]:
        first = session.execute(COUNT, {"which": 1}).scalar_one()
        return [first, take(session, 1, 1)]

    assert database.transact(together, [(number, twice) for number in range(3)]) == [[3, 2], [3, 1], [3, 0]]
    assert sent == ([3, 3] if not database.one_writer else [])


def test_what_a_statement_is_told_besides_goes_with_it(database: Database) -> None:
    told: list[Any] = []
    event.listen(database.engine, "before_cursor_execute", lambda *said: told.append(
        said[4].execution_options.get("besides")))
    works = [(1, partial(take, which=1, many=1)), (2, lambda session: session.execute(
        text("SELECT 7"), execution_options={"besides": 7}).scalar_one())]
    assert database.transact(together, works) == [2, 7] and told == [7]


def _put(session: Session, key: int) -> int:
    """How many rows were put in."""
    rows: int = session.execute(PUT, {"id": key, "count": 0}).rowcount
    return rows


def test_rows_are_put_in_together(database: Database, sent: list[int]) -> None:
    works = [(key, partial(_put, key=key)) for key in (5, 6, 7)]
    assert database.transact(together, works) == [1, 1, 1]
    assert sent == ([3] if not database.one_writer else [])


def test_statements_are_executed_in_the_order_of_who_asks(database: Database) -> None:
    answers = database.transact(together, [
        (number, lambda session, one=one: session.execute(one, {"which": 1, "many": 2}).scalar_one_or_none())
        for number, one in enumerate((TAKE, GIVE, TAKE))])
    assert answers == [1, 3, 1]


def test_one_statement_that_sets_different_columns_is_executed_for_each(database: Database) -> None:
    some = update(shelf).where(shelf.c.id == bindparam("which"))
    database.transact(together, [
        (number, lambda session, values=values: session.execute(some, values) and None)
        for number, values in enumerate(({"which": 1, "count": 9}, {"which": 2, "id": 8}))])
    rows = database.read(lambda session: session.execute(select(shelf).order_by(shelf.c.id)).all())
    assert [tuple(row) for row in rows] == [(1, 9), (8, 0)]


def test_each_knows_which_database_it_is(database: Database) -> None:
    works = [(number, lambda session: session.dialect.name) for number in range(2)]
    assert database.transact(together, works) == [database.engine.dialect.name] * 2


def test_what_is_for_the_same_one_is_done_one_after_the_other(database: Database) -> None:
    done: list[str] = []

    def work(session: Session, name: str) -> None:
        for step in range(2):
            take(session, 1, 0)
            done.append(f"{name}{step}")

    database.transact(together, [("ada", partial(work, name="a")), ("bob", partial(work, name="b")),
                                 ("ada", partial(work, name="A"))])
    assert done == ["a0", "b0", "a1", "b1", "A0", "A1"]


def test_a_savepoint_takes_back_its_own_work_and_nobody_elses(database: Database) -> None:
    def attempt(session: Session) -> int | None:
        savepoint = session.begin_nested()
        left = take(session, 1, 1)
        savepoint.rollback()
        return left

    def takes_twice(session: Session) -> list[int | None]:
        return [take(session, 1, 1), take(session, 1, 1)]

    assert database.transact(together, [(1, attempt), (2, takes_twice), (3, attempt)]) == [0, [2, 1], 0]
    assert database.read(on_the_shelf) == 1


def on_the_shelf(session: Session) -> int:
    """What is on the first shelf."""
    count: int = session.execute(COUNT, {"which": 1}).scalar_one()
    return count


def test_statements_made_anew_and_inserts_that_answer_are_executed_by_themselves(database: Database) -> None:
    def add(session: Session, key: int) -> tuple[int, int]:
        new = session.execute(PUT.returning(shelf.c.id), {"id": key, "count": key}).scalar_one()
        return new, session.execute(select(shelf.c.count).where(shelf.c.id == key)).scalar_one()

    assert database.transact(together, [(key, partial(add, key=key)) for key in (5, 6)]) == [(5, 5), (6, 6)]


def test_when_one_raises_the_others_are_ended_where_they_are_and_nothing_is_done(database: Database) -> None:
    ended: list[int] = []

    def careful(session: Session) -> None:
        try:
            take(session, 1, 1)
            take(session, 1, 1)
        finally:
            ended.append(1)

    def clumsy(session: Session) -> None:
        take(session, 1, 1)
        raise ValueError("too bad")

    with pytest.raises(ValueError, match="too bad") as raised:
        database.transact(together, [(1, careful), (2, clumsy), (3, careful)])
    assert raised and ended == [1, 1] and database.read(on_the_shelf) == 3

"""The journal is pruned as fast as it grows, in small transactions, and nothing young or unsent is lost."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import MetaData, func, insert, select

from patterns import journal
from patterns.database import Database, Session, now
from patterns.journal import inbox, outbox
from patterns.relay import PRUNE_AT_ONCE, Relay
from patterns.settings import settings

OLD = -8 * 86400.0


@pytest.fixture
def database(own_database: Database) -> Database:
    metadata = MetaData()
    journal.keep_journal(metadata)
    own_database.create_tables(metadata)
    return own_database


def write(session: Session, rows: int, age: float, **sent: Any) -> None:
    """So many messages heard and said at an age."""
    for _ in range(rows):
        about: dict[str, Any] = {"message_id": uuid4(), "order_id": uuid4(), "type": "A", "mode": "topic"}
        session.execute(insert(inbox).values(**about, service="product", queue="q", handler="h", heard_at=now(age)))
        session.execute(insert(outbox).values(
            **about, address="a", exchange="", routing_key="", body="", headers={}, correlation_id="", awaits_answer=False,
            said_at=now(age), due_at=now(age), attempts=0, **(sent or {"sent_at": now(age)})))


def left(session: Session) -> tuple[int, int]:
    """Rows of the inbox and the outbox."""
    heard, said = (session.execute(select(func.count()).select_from(table)).scalar_one() for table in (inbox, outbox))
    return heard, said


def test_some_at_a_time_and_it_says_whether_there_may_be_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PRUNE_ROWS", 4)
    database.transact(write, 6, OLD)
    keep = settings().journal_days * 86400
    assert database.transact(journal.prune, keep) is True and database.read(left) == (2, 2)
    assert database.transact(journal.prune, keep) is False and database.read(left) == (0, 0)


def test_what_is_young_or_was_never_sent_stays(database: Database) -> None:
    database.transact(write, 2, -60.0)
    database.transact(write, 3, OLD, sent_at=None)
    database.transact(journal.prune, settings().journal_days * 86400)
    assert database.read(left) == (2, 5)


def test_a_round_of_the_relay_prunes_until_nothing_is_left_or_others_wait(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PRUNE_ROWS", 1)
    database.transact(write, PRUNE_AT_ONCE + 3, OLD)
    relay = Relay("product", database, None)  # type: ignore[arg-type]
    relay._prune()
    assert database.read(left) == (3, 3)
    relay._prune()
    assert database.read(left) == (0, 0)

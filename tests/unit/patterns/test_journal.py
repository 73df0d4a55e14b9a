"""The inbox and the outbox, row by row: what is heard once, what is due when, and what counts as done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData, func, select, text

from patterns import inbox, journal, outbox
from patterns.address import Rpc, Topic
from patterns.database import Database
from patterns.envelope import Context, Said, seal, seal_reply
from tests.unit.handlers.workbench import in_no_order, word

BEGIN = 1000.0


class Journal:
    """A journal in a SQLite file, with a clock to set."""

    def __init__(self, folder: Path) -> None:
        self.now = BEGIN
        self.database = in_no_order(Database("own", f"sqlite:///{folder}/own.db", lambda: self.now))
        metadata = MetaData()
        journal.keep_journal(metadata)
        self.database.create_tables(metadata)

    def hear(self, *ids: UUID) -> set[UUID]:
        rows = [{"service": "own", "message_id": one, "order_id": one, "type": "T", "mode": "topic", "queue": "own.topic",
                 "handler": "hear", "sender": "other"} for one in ids]
        return self.database.transact(inbox.first_times, rows)

    def say(self, *said: Said) -> list[Said]:
        return list(self.database.transact(outbox.add, said))

    def claim(self) -> list[UUID]:
        return [one.message_id for one in self.database.transact(outbox.claim)]

    def rows(self) -> dict[UUID, Any]:
        found = self.database.read(lambda session: session.execute(select(journal.outbox)).all())
        return {row.message_id: row for row in found}

    def backlog(self) -> tuple[int, float]:
        return self.database.read(outbox.backlog)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path)
    yield made
    made.database.close()


def event() -> Said:
    return seal(word("StockReleased"), Topic("stock.released"), Context("topic"))


def question() -> Said:
    return seal(word("OrderPlaced"), Rpc("product_stock_update"), Context("rpc"), awaits_answer=True)


def reply() -> Said:
    return seal_reply(word("StockReleased"), Context("rpc"), "amq.rabbitmq.reply-to.x", str(uuid4()))


# -- hear it once


def test_a_message_is_heard_for_the_first_time_once(own: Journal) -> None:
    known, new = uuid4(), uuid4()
    assert own.hear(known) == {known}
    own.now += 5
    assert own.hear(known, new, new) == {new}
    assert own.hear(known, new) == set()
    heard = own.database.read(lambda session: session.execute(select(journal.inbox)).all())
    assert {row.message_id: row.heard_at for row in heard} == {known: BEGIN, new: BEGIN + 5}


def test_hearing_nothing_writes_nothing(own: Journal) -> None:
    assert own.hear() == set()
    assert own.database.read(lambda session: session.execute(select(func.count()).select_from(journal.inbox)).scalar()) == 0


def test_all_instances_note_messages_in_the_same_order(own: Journal) -> None:
    ids = sorted((uuid4() for _ in range(5)), key=str)
    own.hear(*reversed(ids))
    in_time = text("SELECT message_id FROM inbox ORDER BY rowid")
    noted = own.database.read(lambda session: session.execute(in_time).scalars().all())
    assert noted == [one.hex for one in ids]  # else two that hear the same messages could wait for each other


# -- say it once


def test_what_is_said_is_written_down_unsent_and_due_in_a_moment(own: Journal) -> None:
    said = question()
    assert own.say(said) == [said]
    row = own.rows()[said.message_id]
    assert (row.said_at, row.due_at, row.sent_at, row.attempts) == (BEGIN, BEGIN + outbox.GRACE_SECONDS, None, 0)
    own.now += 1
    assert own.database.transact(outbox.claim) == [said]  # every field of it is in the row


def test_saying_nothing_writes_nothing(own: Journal) -> None:
    assert own.say() == []
    assert own.rows() == {}


def test_what_was_said_before_is_not_said_again_and_its_row_stays(own: Journal) -> None:
    old, new = event(), event()
    own.say(old)
    before = own.rows()[old.message_id]
    own.now += 5
    assert own.say(new, old) == [new]
    assert own.rows()[old.message_id] == before


def test_a_reply_is_said_each_time_and_nobody_sends_it_later(own: Journal) -> None:
    answer, news = reply(), event()
    for said in ((answer, news), (answer,)):
        assert own.say(*said) == list(said)
    row = own.rows()[answer.message_id]
    assert row.sent_at == BEGIN and own.rows()[news.message_id].sent_at is None
    own.now += 100
    assert own.claim() == [news.message_id]


# -- what is due


def test_a_row_is_due_after_its_grace_and_then_after_pauses_that_double(own: Journal) -> None:
    said = event()
    own.say(said)
    assert own.claim() == []
    for attempt, pause in enumerate((outbox.GRACE_SECONDS, 1, 2, 4, 8, 16, 30, 30), 1):
        own.now += pause - 0.01
        assert own.claim() == []
        own.now += 0.01
        assert own.claim() == [said.message_id]
        assert own.rows()[said.message_id].attempts == attempt


def test_what_is_sent_is_never_due(own: Journal) -> None:
    sent, unsent = event(), event()
    own.say(sent, unsent)
    own.database.transact(outbox.mark_sent, [sent.message_id])
    own.now += 100
    assert own.claim() == [unsent.message_id]


def test_a_page_of_rows_is_claimed_the_oldest_first(own: Journal) -> None:
    said = [event() for _ in range(outbox.CLAIM_ROWS + 5)]
    own.say(*said[5:])
    own.say(*said[:5])
    own.now += 1
    oldest_first = [one.message_id for one in (*said[5:], *said[:5])]
    assert own.claim() == oldest_first[: outbox.CLAIM_ROWS]
    assert own.claim() == oldest_first[outbox.CLAIM_ROWS:]


# -- what is done


def test_only_what_was_sent_is_marked_and_keeps_its_first_time(own: Journal) -> None:
    sent, other = event(), event()
    own.say(sent, other)
    own.database.transact(outbox.mark_sent, [])
    assert own.database.read(outbox.unsent) == 2
    for _ in range(2):
        own.database.transact(outbox.mark_sent, [sent.message_id])
        own.now += 7
    assert (own.rows()[sent.message_id].sent_at, own.rows()[other.message_id].sent_at) == (BEGIN, None)
    assert own.database.read(outbox.unsent) == 1


def test_all_that_was_sent_together_is_marked(own: Journal) -> None:
    sent, other = [event(), event()], event()
    own.say(*sent, other)
    own.database.transact(outbox.mark_sent, [one.message_id for one in sent])
    assert {one: row.sent_at for one, row in own.rows().items()} == {
        sent[0].message_id: BEGIN, sent[1].message_id: BEGIN, other.message_id: None}


def test_an_answer_is_to_one_question_about_one_order(own: Journal) -> None:
    asked, other = question(), question()
    own.say(asked, other)
    for request, order in (
        (None, asked.order_id), ("no id at all", asked.order_id), (str(uuid4()), asked.order_id),
        (str(asked.message_id), other.order_id),
    ):
        own.database.transact(outbox.mark_answered, [(request, order)])
        assert own.database.read(outbox.unsent) == 2
    for _ in range(2):
        own.database.transact(outbox.mark_answered, [("no id", other.order_id), (str(asked.message_id), asked.order_id)])
        own.now += 7
    assert (own.rows()[asked.message_id].sent_at, own.rows()[other.message_id].sent_at) == (BEGIN, None)
    own.database.transact(outbox.mark_answered, [])


def test_the_backlog_is_what_is_unsent_and_the_age_of_its_oldest(own: Journal) -> None:
    assert own.backlog() == (0, 0.0)
    sent, first = event(), event()
    own.say(sent)
    own.now += 10
    own.say(first)
    own.now += 10
    own.say(event())
    own.database.transact(outbox.mark_sent, [sent.message_id])
    own.now += 1
    assert own.backlog() == (2, 11.0)
    own.now -= 100  # a clock that was set back
    assert own.backlog() == (2, 0.0)


# -- what is forgotten


def test_what_is_old_and_done_with_is_forgotten_a_few_rows_at_a_time(own: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, unsent = event(), event()
    own.say(sent, unsent)
    own.database.transact(outbox.mark_sent, [sent.message_id])
    old = [uuid4() for _ in range(3)]
    own.hear(*old)
    own.now += 100
    young = uuid4()
    own.hear(young)
    monkeypatch.setattr(journal, "PRUNE_ROWS", 2)
    assert [own.database.transact(journal.prune, 50) for _ in range(3)] == [True, False, False]
    assert list(own.rows()) == [unsent.message_id]  # however old: it still waits to be sent
    assert own.hear(young, *old) == set(old)


def test_the_oldest_is_forgotten_first(own: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = sorted((uuid4() for _ in range(4)), reverse=True)
    for one in heard:
        own.hear(one)
        own.now += 10
    monkeypatch.setattr(journal, "PRUNE_ROWS", 2)
    own.database.transact(journal.prune, 0)
    assert own.hear(*heard) == set(heard[:2])


def test_the_journal_of_an_order_is_what_was_heard_and_said_about_it_in_time(own: Journal) -> None:
    said = event()
    own.say(said, event())
    own.now -= 5
    own.hear(said.order_id, uuid4())
    own.database.transact(outbox.mark_sent, [said.message_id])
    found = own.database.read(journal.messages, said.order_id, "own")
    assert found == [
        {"at": BEGIN - 5, "service": "own", "direction": "heard", "type": "T", "mode": "topic", "where": "own.topic",
         "other": "other", "handler": "hear", "message_id": said.order_id, "sent": None},
        {"at": BEGIN, "service": "own", "direction": "said", "type": "StockReleased", "mode": "topic",
         "where": str(Topic("stock.released")), "other": None, "handler": None, "message_id": said.message_id, "sent": True},
    ]
    assert [one["direction"] for one in own.database.read(journal.messages, said.order_id, "other")] == ["said"]

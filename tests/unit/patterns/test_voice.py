"""The voice: what counts as sent, who gets an answer, and whom nobody waits for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import MetaData, select

from patterns import journal, outbox, topology
from patterns.address import Answer, Queue, Rpc, Topic
from patterns.amqp import Channel, Delivery, Outgoing, Receipt
from patterns.broker import EmbeddedTransport
from patterns.database import Database, Session
from patterns.envelope import Context, Said, seal, seal_reply
from patterns.errors import BrokerUnavailable, DatabaseUnavailable
from patterns.listener import Listener
from patterns.relay import Relay
from patterns.rpc import converse
from patterns.runtime import runtime
from patterns.settings import configure
from patterns.shop import OrderConfirmed, StockReleased
from patterns.voice import Voice
from patterns.wiring import Wiring
from tests.unit.handlers.workbench import word
from tests.unit.patterns.simulated import in_simulated_time


def close(session: Session, released: StockReleased) -> None:
    return


WIRINGS = {"rpc": Wiring(hears=((Answer(), close),), says=((OrderConfirmed, Rpc("let_go")),))}


class Wire:
    """Stands where the link does: a channel whose broker answers as told, and a connection that may be in trouble."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sent: list[Outgoing] = []
        self.unsent_then: list[int] = []
        self.receipts: dict[str, Receipt] = {}
        self.trouble: str | None = None

    def channel(self, timeout: float = 0.0) -> Any:  # noqa: ARG002
        if self.trouble:
            raise BrokerUnavailable(self.trouble)
        return self

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:  # noqa: ARG002
        self.sent += messages
        self.unsent_then.append(self.database.read(outbox.unsent))
        return [self.receipts.get(one.properties.message_id or "", Receipt.CONFIRMED) for one in messages]


class Mouth:
    """A voice on a SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.database = Database("own", f"sqlite:///{folder}/own.db")
        metadata = MetaData()
        journal.keep_journal(metadata)
        self.database.create_tables(metadata)
        self.unawaited: list[Delivery] = []
        self.voice = Voice("own", EmbeddedTransport(), self.database, WIRINGS, lambda _, some: self.unawaited.extend(some))
        self.wire = Wire(self.database)
        self.link, self.voice.link = self.voice.link, cast("Any", self.wire)

    def say(self, *said: Said) -> None:
        self.database.transact(outbox.add, said)
        self.voice.say(said)

    def unsent(self) -> set[Any]:
        unsent = select(journal.outbox.c.message_id).where(journal.outbox.c.sent_at.is_(None))
        return set(self.database.read(lambda session: session.execute(unsent).scalars().all()))

    def hears(self, *deliveries: Delivery) -> None:
        self.voice._answered(cast("Channel", None), deliveries)


@pytest.fixture
def mouth(tmp_path: Path) -> Iterator[Mouth]:
    made = Mouth(tmp_path)
    yield made
    made.database.close()


def event() -> Said:
    return seal(word(StockReleased), Topic("stock.released"), Context("topic"))


def question() -> Said:
    return seal(word(OrderConfirmed), Rpc("let_go"), Context("rpc"), awaits_answer=True)


def reply() -> Said:
    return seal_reply(word(StockReleased), Context("rpc"), "amq.rabbitmq.reply-to.x", "m")


def answer(request: Said, order_id: Any = None) -> Delivery:
    released = word(StockReleased, order_id or request.order_id)
    out = seal_reply(released, Context("rpc"), "amq.rabbitmq.reply-to.x", str(request.message_id)).outgoing("other")
    return Delivery("amq.rabbitmq.reply-to", None, "", out.routing_key, out.body, out.properties)


# -- what counts as sent


def test_what_is_confirmed_is_sent_and_noted_after_that(mouth: Mouth) -> None:
    mouth.say(event(), event())
    assert (len(mouth.wire.sent), mouth.wire.unsent_then, mouth.unsent()) == (2, [2], set())


@pytest.mark.parametrize(("receipt", "why"), [
    (Receipt.RETURNED, "no queue is bound there"), (Receipt.REFUSED, "the broker's answer: refused"),
    (Receipt.UNKNOWN, "the broker's answer: unknown"),
])
def test_what_is_not_confirmed_stays_due_and_is_told_of(
    receipt: Receipt, why: str, mouth: Mouth, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = event(), event()
    mouth.wire.receipts[str(bad.message_id)] = receipt
    with caplog.at_level(logging.WARNING):
        mouth.say(bad, good)
    assert mouth.unsent() == {bad.message_id}
    [record] = caplog.records
    assert record.order_id == str(bad.order_id) and why in record.message  # type: ignore[attr-defined]


def test_a_question_is_not_done_when_it_is_sent(mouth: Mouth) -> None:
    asked = question()
    mouth.say(asked, event())
    assert mouth.unsent() == {asked.message_id}
    assert [out.properties.reply_to for out in mouth.wire.sent] == ["amq.rabbitmq.reply-to", None]


def test_a_reply_that_nobody_takes_is_no_news(mouth: Mouth, caplog: pytest.LogCaptureFixture) -> None:
    said = reply()
    mouth.wire.receipts[str(said.message_id)] = Receipt.RETURNED
    with caplog.at_level(logging.WARNING):
        mouth.say(said)
    assert caplog.records == [] and not mouth.wire.sent[0].mandatory


def test_who_has_nothing_to_say_troubles_nobody(mouth: Mouth) -> None:
    mouth.voice.say([])
    assert mouth.wire.unsent_then == []


def test_while_the_broker_is_away_all_stays_due(mouth: Mouth) -> None:
    mouth.wire.trouble = "away"
    said = event()
    mouth.say(said)
    assert mouth.unsent() == {said.message_id}


def test_what_could_not_be_noted_is_said_again(mouth: Mouth, monkeypatch: pytest.MonkeyPatch) -> None:
    said = event()
    mouth.database.transact(outbox.add, [said])

    def away(*_: object) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patches:
        for way in ("transact", "transact_one"):
            patches.setattr(mouth.database, way, away)
        mouth.voice.say([said])
    assert len(mouth.wire.sent) == 1 and mouth.unsent() == {said.message_id}


def test_what_is_in_no_outbox_is_published_too_or_it_is_told_that_it_is_not(mouth: Mouth) -> None:
    retried = event().outgoing("own")
    assert mouth.voice.publish([retried], 7) == [Receipt.CONFIRMED] and mouth.wire.sent == [retried]
    mouth.wire.trouble = "away"
    with pytest.raises(BrokerUnavailable):
        mouth.voice.publish([retried])


# -- who gets an answer


@in_simulated_time
def test_an_answer_goes_to_whoever_asked_and_any_other_is_handled_elsewhere(mouth: Mouth) -> None:
    asked, other = question(), question()
    late, own = answer(other), answer(asked)
    of_another_order = answer(asked, uuid4())
    garbage = Delivery("amq.rabbitmq.reply-to", None, "", "", b"{", own.properties)
    real = mouth.wire.publish

    def answered(*arguments: Any) -> list[Receipt]:
        mouth.hears(late, of_another_order, garbage, own)
        return real(*arguments)

    mouth.wire.publish = answered  # type: ignore[method-assign]
    with mouth.voice.ask(asked, 5) as got:
        assert got is own
        mouth.hears(own)
        assert mouth.unawaited == [late, of_another_order, garbage]  # a second one while the first is in hand is ours too
    mouth.hears(own)
    assert mouth.unawaited[3:] == [own]


@in_simulated_time
def test_nobody_waits_where_no_answer_can_come(mouth: Mouth) -> None:
    began = runtime().monotonic()
    with mouth.voice.ask(question(), 0) as got:
        assert got is None
    mouth.wire.trouble = "away"
    with mouth.voice.ask(question(), 30) as got:
        assert got is None
    assert mouth.wire.sent == [] and mouth.voice._awaited == {} and runtime().monotonic() == began


@in_simulated_time
def test_who_does_not_answer_is_left_alone_unless_it_had_no_fair_share_of_the_time(mouth: Mouth) -> None:
    configure(rpc_wait_seconds=0.02, breaker_failures=2)
    for _ in range(4):
        with mouth.voice.ask(question(), 0.001) as got:
            assert got is None
    assert (len(mouth.wire.sent), mouth.voice.breakers[str(Rpc("let_go"))].state) == (4, "closed")
    for _ in range(4):
        with mouth.voice.ask(question(), 0.02) as got:
            assert got is None
    assert (len(mouth.wire.sent), mouth.voice.breakers[str(Rpc("let_go"))].state) == (6, "open")


@in_simulated_time
def test_who_could_not_be_heard_while_the_broker_was_away_is_not_blamed(mouth: Mouth) -> None:
    configure(rpc_wait_seconds=1, breaker_failures=1)

    def lose(*_: Any) -> list[Receipt]:
        mouth.wire.trouble = "away"
        return [Receipt.CONFIRMED]

    mouth.wire.publish = lose  # type: ignore[method-assign]
    with mouth.voice.ask(question(), 1) as got:
        assert got is None
    assert mouth.voice.breakers[str(Rpc("let_go"))].state == "closed"


@in_simulated_time
def test_who_answers_is_asked_again(mouth: Mouth) -> None:
    configure(rpc_wait_seconds=0.02, breaker_failures=2)
    asked = question()
    for _ in range(3):
        with mouth.voice.ask(question(), 0.02):
            pass
        mouth.wire.publish = _answering(mouth, asked)  # type: ignore[method-assign]
        with mouth.voice.ask(asked, 5) as got:
            assert got is not None
        del mouth.wire.publish
    assert mouth.voice.breakers[str(Rpc("let_go"))].state == "closed"


def _answering(mouth: Mouth, asked: Said) -> Any:
    def publish(messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        mouth.hears(answer(asked))
        return [Receipt.CONFIRMED for _ in messages]

    return publish


# -- a conversation


class Elsewhere:
    """Stands where the relay and the listener do: what is left to the relay, and what each answer makes us say."""

    def __init__(self, follows: dict[Any, list[Said]]) -> None:
        self.left: list[Said] = []
        self.follows = follows

    def say_soon(self, said: Sequence[Said]) -> None:
        self.left += said

    def answer(self, delivery: Delivery) -> list[Said]:
        return self.follows[delivery.properties.correlation_id]


@in_simulated_time
def test_a_conversation_asks_what_follows_from_each_answer_and_leaves_the_rest_to_the_relay(mouth: Mouth) -> None:
    first, second, news, more = question(), question(), event(), event()
    others = Elsewhere({str(first.message_id): [second, news], str(second.message_id): [more]})
    asked: list[str | None] = []

    def publish(messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        asked.extend(one.properties.message_id for one in messages)
        for one in (first, second):
            if str(one.message_id) == messages[0].properties.message_id:
                mouth.hears(answer(one))
        return [Receipt.CONFIRMED for _ in messages]

    mouth.wire.publish = publish  # type: ignore[method-assign]
    until = runtime().monotonic() + 30
    converse([first, news], mouth.voice, cast("Listener", others), cast("Relay", others), until)
    assert asked == [str(first.message_id), str(second.message_id)]
    assert others.left == [news, news, more]


@in_simulated_time
def test_a_conversation_whose_time_is_over_asks_nobody(mouth: Mouth) -> None:
    others = Elsewhere({})
    converse([question(), event()], mouth.voice, cast("Listener", others), cast("Relay", others), runtime().monotonic())
    assert mouth.wire.sent == [] and len(others.left) == 1


# -- what it declares


def test_its_connection_has_its_name_and_waits_to_be_started(mouth: Mouth) -> None:
    assert (mouth.link.name, mouth.link.trouble) == ("own.voice", "not connected yet")


@pytest.mark.parametrize("hears_answers", [True, False])
def test_it_hears_answers_where_its_wiring_does_and_declares_what_others_hear(
    hears_answers: bool, mouth: Mouth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "_known", {"other": {"default": Wiring(hears=((Queue("others"), close),))}})
    mouth.voice.wirings = WIRINGS if hears_answers else {"rpc": Wiring(says=((OrderConfirmed, Rpc("let_go")),))}
    channel = EmbeddedTransport().connect("x").channel()
    mouth.voice._prepare(channel)
    assert list(channel.consumers.values()) == (["amq.rabbitmq.reply-to"] if hears_answers else [])
    assert channel.declare_queue("others", passive=True).name == "others"

"""The listener, step by step: heard once, acknowledged after the commit, one bad message harms no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import MetaData, func, select

from patterns import journal, outbox
from patterns.address import Answer, Queue, Rpc, Topic
from patterns.amqp import Channel, Delivery, Outgoing, Receipt
from patterns.broker import EmbeddedTransport
from patterns.database import Database, Session
from patterns.envelope import Context, Said, seal, seal_reply
from patterns.errors import (
    BrokerUnavailable,
    ConnectionLost,
    DatabaseUnavailable,
    GaveWay,
    ServerUnavailable,
    Unreadable,
    WiringError,
)
from patterns.listener import Listener, addressed, deliver
from patterns.message import Message
from patterns.place_order import PlaceOrder
from patterns.settings import configure
from patterns.shop import OrderConfirmed, StockReleased, StockReserved
from patterns.voice import Voice
from patterns.wiring import Wiring
from tests.unit.handlers.workbench import word

HANDLED: list[UUID] = []
"""Orders whose messages came to a handler, in time."""

FAILING: dict[UUID, Exception] = {}
"""Orders whose handler or preparation raises."""


def release(session: Session, confirmed: OrderConfirmed) -> StockReleased:
    HANDLED.append(confirmed.order_id)
    if confirmed.order_id in FAILING:
        raise FAILING[confirmed.order_id]
    return StockReleased(order_id=confirmed.order_id)


def close(session: Session, released: StockReleased) -> None:
    HANDLED.append(released.order_id)


def ask_somebody(reserved: StockReserved) -> str:
    if reserved.order_id in FAILING:
        raise FAILING[reserved.order_id]
    return "yes"


def sell(session: Session, reserved: StockReserved, verdict: str) -> None:
    assert verdict == "yes"
    HANDLED.append(reserved.order_id)


WIRINGS = {
    "topic": Wiring(
        hears=((Topic("order.confirmed"), release), (Topic("stock.reserved"), sell, ask_somebody)),
        says=((StockReleased, Topic("stock.released")), (StockReserved, Topic("nobody.says.this"))),
    ),
    "rpc": Wiring(hears=((Rpc("let_go"), release), (Answer(), close))),
}


class Wire:
    """Stands where the voice does: keeps what is said, and what is published by itself."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.published: list[Outgoing] = []

    def say(self, said: Sequence[Said]) -> None:
        self.said += said

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:  # noqa: ARG002
        self.published += messages
        return [Receipt.CONFIRMED for _ in messages]


class Ears:
    """A listener on a SQLite file; nothing travels."""

    def __init__(self, folder: Path) -> None:
        self.database, self.wire = Database("own", f"sqlite:///{folder}/own.db"), Wire()
        metadata = MetaData()
        journal.keep_journal(metadata)
        self.database.create_tables(metadata)
        self.broker, self.told = EmbeddedTransport(), list[UUID]()
        self.listener = Listener(
            "own", self.broker, self.database, WIRINGS, cast("Voice", self.wire), news=self.told.extend)

    def close(self) -> None:
        self.listener.preparing.stop(wait=True)
        self.database.close()
        self.broker.close()

    def count(self, table: Any) -> int:
        return self.database.read(lambda session: session.execute(select(func.count()).select_from(table)).scalar_one())

    def unsent(self) -> int:
        unsent = select(func.count()).where(journal.outbox.c.sent_at.is_(None))
        return self.database.read(lambda session: session.execute(unsent).scalar_one())


@pytest.fixture
def ears(tmp_path: Path) -> Iterator[Ears]:
    HANDLED.clear()
    FAILING.clear()
    made = Ears(tmp_path)
    yield made
    made.close()


TAGS = iter(range(1, 10**6))


def event(kind: type[Message] | Message = OrderConfirmed, **options: Any) -> Delivery:
    message = kind if isinstance(kind, Message) else word(kind)
    key = "order.confirmed" if isinstance(message, OrderConfirmed) else "stock.reserved"
    out = seal(message, Topic(key), Context("topic")).outgoing("other")
    return Delivery("own.topic", next(TAGS), out.exchange, out.routing_key, out.body, out.properties, **options)


def question(message: Message, reply_to: str | None = "amq.rabbitmq.reply-to.x") -> Delivery:
    out = seal(message, Rpc("let_go"), Context("rpc"), awaits_answer=True).outgoing("other", reply_to)
    return Delivery("let_go", next(TAGS), "", "let_go", out.body, out.properties)


def answer(request: Said) -> Delivery:
    released = word(StockReleased, request.order_id)
    said = seal_reply(released, Context("rpc"), "amq.rabbitmq.reply-to.x", str(request.message_id))
    out = said.outgoing("other")
    return Delivery("amq.rabbitmq.reply-to", None, "", out.routing_key, out.body, out.properties)


def order_of(delivery: Delivery) -> UUID:
    return UUID(str(delivery.properties.headers["order_id"]))


# -- hear it once


def test_a_message_is_handled_once_however_often_it_comes(ears: Ears) -> None:
    one = event()
    for batch in ([one, one], [one]):
        ears.listener.handle(batch)
    assert [order_of(one)] == HANDLED
    assert (ears.count(journal.inbox), ears.count(journal.outbox)) == (1, 1)
    assert [said.type for said in ears.wire.said] == ["StockReleased"]
    assert (ears.listener.counts["handled"], ears.listener.counts["ignored"]) == (3, 0)


@pytest.mark.parametrize(("sender", "noted"), [("other", "other"), (None, ""), ("s" * 99, "s" * 60)])
def test_the_journal_says_who_sent_a_message_where_that_is_known(sender: str | None, noted: str, ears: Ears) -> None:
    one = event()
    ears.listener.handle([replace(one, properties=replace(one.properties, app_id=sender))])
    [row] = [row for row in ears.database.read(journal.messages, order_of(one), "own") if row["direction"] == "heard"]
    assert (row["type"], row["other"]) == ("OrderConfirmed", noted)


def test_a_question_is_answered_each_time_it_is_asked(ears: Ears) -> None:
    asked = question(word(OrderConfirmed))
    for _ in range(2):
        ears.listener.handle([asked])
    assert [(said.routing_key, said.correlation_id) for said in ears.wire.said] == [
        ("amq.rabbitmq.reply-to.x", asked.properties.message_id)] * 2
    assert [order_of(asked)] * 2 == HANDLED and ears.unsent() == 0


def test_whoever_wants_no_answer_gets_none(ears: Ears) -> None:
    ears.listener.handle([question(word(OrderConfirmed), reply_to=None)])
    assert len(HANDLED) == 1 and ears.wire.said == [] == ears.wire.published


def test_an_answer_closes_its_question_though_it_was_heard_before(ears: Ears) -> None:
    request = seal(word(OrderConfirmed), Rpc("let_go"), Context("rpc"), awaits_answer=True)
    for _ in range(2):
        ears.database.transact(lambda session: session.execute(journal.outbox.delete()))
        ears.database.transact(outbox.add, [request])
        assert ears.unsent() == 1
        ears.listener.handle([answer(request)])
        assert ears.unsent() == 0
    assert [request.order_id] == HANDLED


def test_only_an_answer_closes_a_question(ears: Ears) -> None:
    request = seal(word(OrderConfirmed), Rpc("let_go"), Context("rpc"), awaits_answer=True)
    ears.database.transact(outbox.add, [request])
    news = event(word(OrderConfirmed, request.order_id))
    ears.listener.handle([replace(news, properties=replace(news.properties, correlation_id=str(request.message_id)))])
    assert len(HANDLED) == 1 and ears.unsent() == 2  # the question, and what was said about the news


def test_orders_are_handled_in_the_same_order_by_everybody(ears: Ears) -> None:
    batch = sorted((event() for _ in range(6)), key=order_of, reverse=True)
    ears.listener.handle(batch)
    assert sorted(HANDLED) == HANDLED and len(HANDLED) == 6


@pytest.mark.parametrize("alone", [True, False])
def test_rows_are_locked_unless_every_transaction_is_alone(
    alone: bool, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[int] = []
    monkeypatch.setattr(ears.listener, "_lock_rows", lambda _, messages: locked.append(len(messages)))
    monkeypatch.setattr(Database, "one_writer", alone)
    ears.listener.handle([event(), event()])
    assert len(HANDLED) == 2 and locked == ([] if alone else [2])


def test_where_they_are_not_all_rows_of_a_batch_are_locked_before_any_is_handled(ears: Ears) -> None:
    locked: list[tuple[int, int]] = []

    def note(session: Session, messages: Sequence[Message]) -> None:
        locked.append((len(messages), len(HANDLED)))

    heard = [one for one in (ears.listener._hearing.hear(event()) for _ in range(3)) if one]
    ears.database.transact(deliver, "own", heard[:2], WIRINGS, note)
    ears.database.transact(deliver, "own", heard[2:], WIRINGS, note)
    assert locked == [(2, 0)] and len(HANDLED) == 3


def test_what_has_no_address_and_no_asker_is_a_mistake_in_the_wiring() -> None:
    with pytest.raises(WiringError, match="no address in mode rpc"):
        addressed([word(StockReleased)], WIRINGS, Context("rpc"))


def test_what_nobody_asked_for_is_not_sent_to_whoever_wants_an_answer(ears: Ears) -> None:
    news = event()
    wanting = replace(news, properties=replace(news.properties, reply_to="amq.rabbitmq.reply-to.x"))
    heard = ears.listener._hearing.hear(wanting)
    assert heard is not None
    with pytest.raises(WiringError, match="no address in mode topic"):
        ears.database.transact(deliver, "own", [heard], {"topic": Wiring(hears=WIRINGS["topic"].hears)})


def test_what_has_an_address_goes_there_also_when_it_was_asked_for() -> None:
    asked = question(word(OrderConfirmed))
    assert [one.address for one in addressed([word(StockReleased)], WIRINGS, Context("topic"), asked)] == [
        str(Topic("stock.released"))]


def test_an_order_that_knows_its_mode_travels_in_that() -> None:
    wirings = {mode: Wiring(says=((PlaceOrder, Queue(mode)),)) for mode in ("rpc", "topic")}
    [said] = addressed([word(PlaceOrder, mode="topic")], wirings, Context("rpc"))
    assert (said.mode, said.address) == ("topic", str(Queue("topic")))


def test_a_handler_may_say_several_things(ears: Ears) -> None:
    heard = ears.listener._hearing.hear(event())
    assert heard is not None
    heard.line = replace(heard.line, handler=lambda _, __: (word(StockReleased), word(StockReserved)))
    assert [said.type for said in heard.handle(cast("Session", None))] == ["StockReleased", "StockReserved"]


def test_what_is_not_understood_is_nobodys_business_only_where_everybody_hears_everything(ears: Ears) -> None:
    asked = question(word(OrderConfirmed))
    strange = replace(asked, properties=replace(asked.properties, type="Strange"))
    with pytest.raises(Unreadable, match="'Strange' is not understood at let_go; understood: OrderConfirmed"):
        ears.listener._hearing.hear(strange)
    assert ears.listener._hearing.hear(replace(strange, queue="own.topic")) is None


def test_only_a_question_awaits_an_answer() -> None:
    wirings = {"rpc": Wiring(says=((StockReleased, Rpc("ask")), (StockReleased, Queue("tell"))))}
    said = addressed([word(StockReleased)], wirings, Context("rpc"))
    assert [(one.address, one.awaits_answer) for one in said] == [(str(Rpc("ask")), True), (str(Queue("tell")), False)]


# -- acknowledged after the commit


class Notes:
    """A channel that notes what is acknowledged, and how many messages were committed by then."""

    def __init__(self, ears: Ears) -> None:
        self.acks: list[tuple[int, bool, int]] = []
        self.ears = ears

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        self.acks.append((tag, multiple, self.ears.count(journal.inbox)))


def test_what_came_first_is_acknowledged_together_after_its_commit(ears: Ears) -> None:
    batch, notes = [event() for _ in range(3)], Notes(ears)
    ears.listener._work(cast("Channel", notes), list(reversed(batch)))
    assert notes.acks == [(batch[-1].tag, True, 3)]


def test_what_came_again_is_acknowledged_one_by_one_after_its_own_commit(ears: Ears) -> None:
    first, notes = [event(), event()], Notes(ears)
    again = [event(redelivered=True), event(redelivered=True)]
    ears.listener._work(cast("Channel", notes), [again[0], *first, again[1]])
    committed = [(multiple, count) for _, multiple, count in notes.acks]
    assert committed == [(False, 2), (False, 2), (False, 3), (False, 4)]
    assert [tag for tag, _, _ in notes.acks[:2]] == [one.tag for one in first]
    assert {tag for tag, _, _ in notes.acks[2:]} == {one.tag for one in again}
    assert ears.listener.counts["redelivered"] == 2


def test_what_came_again_is_tried_in_another_order_each_time(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = iter((0.3, 0.1, 0.2))
    monkeypatch.setattr("patterns.listener.runtime", lambda: SimpleNamespace(between=lambda *_: next(dice)))
    again, notes = [event(redelivered=True) for _ in range(3)], Notes(ears)
    ears.listener._work(cast("Channel", notes), again)
    assert [tag for tag, _, _ in notes.acks] == [again[1].tag, again[2].tag, again[0].tag]


def test_only_what_came_again_is_also_handled(ears: Ears) -> None:
    again, notes = event(redelivered=True), Notes(ears)
    ears.listener._work(cast("Channel", notes), [again])
    assert notes.acks == [(again.tag, False, 1)]


@pytest.mark.parametrize("redelivered", [False, True])
def test_what_could_not_be_handled_for_sure_is_not_acknowledged(
    redelivered: bool, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise BrokerUnavailable("away")

    bad, notes = event(redelivered=redelivered), Notes(ears)
    FAILING[order_of(bad)] = RuntimeError("no")
    monkeypatch.setattr(ears.wire, "publish", away)
    with pytest.raises(BrokerUnavailable):
        ears.listener._work(cast("Channel", notes), [bad])
    assert notes.acks == []


# -- one bad message harms no other


def test_one_that_fails_is_retried_alone_and_the_others_are_handled(ears: Ears) -> None:
    batch = [event() for _ in range(3)]
    bad = order_of(batch[1])
    FAILING[bad] = RuntimeError("no")
    ears.listener.handle(batch)
    assert [out.exchange for out in ears.wire.published] == ["orderflow.retry.1000"]
    assert {said.order_id for said in ears.wire.said} == {order_of(one) for one in batch} - {bad}
    assert ears.count(journal.inbox) == 2 == ears.listener.counts["handled"]
    assert set(ears.told) == {order_of(one) for one in batch} - {bad}
    assert ears.listener.counts["retried"] == 1


def test_what_nobody_can_read_is_parked_and_what_is_nobodys_business_is_ignored(ears: Ears) -> None:
    good, other = event(), event()
    unreadable = Delivery("own.topic", 1, "", "", b"{", good.properties)
    strange = Delivery("own.topic", 2, "", "", other.body, other.properties.__class__(message_id="m", type="Strange"))
    ears.listener.handle([unreadable, strange])
    assert [out.routing_key for out in ears.wire.published] == ["own.parked"]
    assert (ears.listener.counts["ignored"], ears.listener.counts["parked"], ears.count(journal.inbox)) == (1, 1, 0)


def test_what_the_broker_gave_up_is_sent_back_and_not_handled(ears: Ears) -> None:
    good = event()
    headers = {**good.properties.headers, "x-death": [{"queue": "own.topic", "reason": "delivery_limit"}]}
    dead = Delivery("own.dead", 1, "", "", good.body, good.properties.__class__(message_id="m", headers=headers))
    ears.listener.handle([dead])
    assert [out.routing_key for out in ears.wire.published] == ["own.topic"] and HANDLED == []


@pytest.mark.parametrize(("error", "where", "count"), [
    (ServerUnavailable("away"), "orderflow.retry.1000", "waits"), (Unreadable("never"), "", "parked"),
    (RuntimeError("no"), "orderflow.retry.1000", "retried"),
])
def test_a_preparation_that_fails_keeps_its_message_from_the_handler_and_no_other(
    error: Exception, where: str, count: str, ears: Ears
) -> None:
    bad, good = event(StockReserved), event(StockReserved)
    FAILING[order_of(bad)] = error
    ears.listener.handle([bad, good])
    assert [order_of(good)] == HANDLED
    assert ([out.exchange for out in ears.wire.published], ears.listener.counts[count]) == ([where], 1)


# -- while the database is away


class Away:
    """Transactions that fail so many times before they work."""

    def __init__(self, ears: Ears, errors: list[Exception]) -> None:
        self.sizes: list[int] = []
        self.real: Callable[..., Any] = ears.database.transact
        self.errors = errors

    def transact(self, work: Any, *arguments: Any) -> Any:
        if work is deliver:
            self.sizes.append(len(arguments[1]))
            if self.errors:
                raise self.errors.pop(0)
        return self.real(work, *arguments)


def test_messages_wait_in_hand_while_the_database_is_away(
    ears: Ears, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away, troubles = Away(ears, [DatabaseUnavailable("away"), GaveWay("in the way")]), list[str | None]()
    monkeypatch.setattr(ears.database, "transact", away.transact)
    monkeypatch.setattr(ears.listener.link.stopping, "wait", lambda _: troubles.append(ears.listener.trouble))
    ears.listener.handle([event()])
    assert troubles == ["away", "in the way"] and ears.listener.trouble is None
    assert away.sizes == [1, 1, 1] and len(HANDLED) == 1 and ears.wire.published == []
    assert [record.message for record in caplog.records] == ["away  Waiting for it."], "once, not at each try"


def test_pauses_double_while_the_database_is_away_up_to_five_seconds(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(ears.database, "transact", Away(ears, [DatabaseUnavailable("away")] * 8).transact)
    monkeypatch.setattr(ears.listener.link.stopping, "wait", pauses.append)
    ears.listener.handle([event()])
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]


def test_a_batch_waits_together_while_the_database_is_away(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Away(ears, [DatabaseUnavailable("away")])
    monkeypatch.setattr(ears.database, "transact", away.transact)
    monkeypatch.setattr(ears.listener.link.stopping, "wait", lambda _: False)
    ears.listener.handle([event(), event()])
    assert away.sizes == [2, 2] and len(HANDLED) == 2


def test_a_batch_that_is_in_the_way_goes_on_one_by_one(
    ears: Ears, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = Away(ears, [GaveWay("in the way")])
    monkeypatch.setattr(ears.database, "transact", away.transact)
    ears.listener.handle([event(), event()])
    assert away.sizes == [2, 1, 1] and len(HANDLED) == 2 and ears.wire.published == []
    assert caplog.records == [], "the database is not away"


def test_whoever_stops_while_the_database_is_away_leaves_its_messages_to_the_broker(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears.database, "transact", Away(ears, [DatabaseUnavailable("away")] * 9).transact)
    ears.listener.link.stopping.set()
    notes = Notes(ears)
    with pytest.raises(ConnectionLost):
        ears.listener._work(cast("Channel", notes), [event(), event()])
    assert notes.acks == [] and ears.wire.published == []


# -- what it listens to, and how an answer that was waited for is handled


def test_it_reads_the_queues_of_all_modes_and_its_dead_letters(ears: Ears) -> None:
    configure(batch_size=7)
    channel = ears.broker.connect("x").channel()
    ears.listener._prepare(channel)
    assert sorted(channel.consumers.values()) == ["let_go", "own.dead", "own.topic"]


def test_it_takes_no_more_at_once_than_it_handles_at_once(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(batch_size=7)
    channel, calls = ears.broker.connect("x").channel(), list[tuple[str, object]]()
    for name in ("qos", "consume"):
        monkeypatch.setattr(type(channel), name, lambda _, what, name=name: calls.append((name, what)))
    ears.listener._prepare(channel)
    assert calls[0] == ("qos", 7) and [name for name, _ in calls[1:]] == ["consume"] * 3


@pytest.mark.parametrize("finished", [True, False])
def test_whoever_stops_asks_nobody_any_more_and_says_whether_all_is_finished(
    finished: bool, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[bool] = []
    with monkeypatch.context() as patches:
        patches.setattr(ears.listener.link, "stop", lambda _: finished)
        patches.setattr(ears.listener.preparing, "stop", lambda *, wait: waited.append(wait))
        assert ears.listener.stop(1.0) is finished
    assert waited == [finished]


def test_an_answer_is_handled_in_one_transaction_and_told(ears: Ears) -> None:
    request = seal(word(OrderConfirmed), Rpc("let_go"), Context("rpc"), awaits_answer=True)
    assert list(ears.listener.answer(answer(request))) == []
    assert HANDLED == [request.order_id] == ears.told and ears.count(journal.inbox) == 1
    garbage = Delivery("amq.rabbitmq.reply-to", None, "", "", b"{", answer(request).properties)
    assert ears.listener.answer(garbage) == [] and len(ears.told) == 1


def test_news_of_each_order_come_after_the_commit(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    committed: list[int] = []
    monkeypatch.setattr(ears.listener, "_news", lambda _: committed.append(ears.count(journal.inbox)))
    ears.listener.handle([event(), event()])
    ears.listener.answer(answer(seal(word(OrderConfirmed), Rpc("let_go"), Context("rpc"), awaits_answer=True)))
    assert committed == [2, 3]

"""A service by itself: what it does when it is asked, how it begins, and how it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import MetaData, func, select

from patterns import journal, outbox, schema, topology
from patterns import service as module
from patterns.address import Answer, Queue, Rpc, Topic
from patterns.broker import EmbeddedTransport
from patterns.database import Database, Session
from patterns.envelope import Said
from patterns.errors import DatabaseUnavailable, SchemaMismatch
from patterns.message import Message
from patterns.runtime import runtime
from patterns.service import EARS_SHARE, LEAST_SECONDS, START_SECONDS, Service
from patterns.settings import configure
from patterns.shop import CancelOrder, FundsReleased, OrderConfirmed, StockReleased
from patterns.transport import use
from patterns.waiting import Seat
from patterns.wiring import Wiring
from tests.unit.handlers.workbench import word
from tests.unit.patterns.simulated import in_simulated_time, let_pass

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def release(session: Session, confirmed: OrderConfirmed) -> StockReleased:
    return StockReleased(order_id=confirmed.order_id)


def both(session: Session, wish: CancelOrder) -> tuple[StockReleased, FundsReleased]:
    return StockReleased(order_id=wish.order_id), FundsReleased(order_id=wish.order_id)


def nothing(session: Session, released: FundsReleased) -> None:
    return


def hear(session: Session, released: StockReleased) -> None:
    return


WIRINGS = {
    "topic": Wiring(hears=((Topic("stock.*"), hear),), says=(
        (StockReleased, Topic("stock.released")), (FundsReleased, Topic("funds.released")))),
    "rpc": Wiring(hears=((Answer(), hear),), says=((StockReleased, Rpc("ask")), (FundsReleased, Queue("tell")))),
}


class Beside:
    """Stands where the relay and a conversation do: notes what is left to each, and how many rows were committed then."""

    def __init__(self, made: Service) -> None:
        self.made = made
        self.soon: list[tuple[list[Said], int]] = []
        self.talks: list[tuple[list[Said], float]] = []

    def say_soon(self, said: list[Said]) -> None:
        rows = self.made.database.read(outbox.unsent)
        self.soon.append((said, rows))

    def converse(self, said: list[Said], voice: Any, listener: Any, relay: Any, until: float) -> None:
        assert (voice, listener, relay) == (self.made.voice, self.made.listener, self)
        self.talks.append((said, until))


def service(folder: Path, *chores: Callable[[Service], None]) -> Service:
    """A service on a SQLite file; not started."""
    database = Database("own", f"sqlite:///{folder}/own.db")
    return Service("own", database, MetaData(), WIRINGS, acts=(release, both, nothing), chores=chores)


@pytest.fixture(autouse=True)
def _unknown_to_others(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(topology, "_known", {})
    yield
    use(None)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Service]:
    configure(messaging_mode="topic")
    made = service(tmp_path)
    made.database.create_tables(made.metadata)
    yield made
    made.database.close()


@pytest.fixture
def beside(made: Service, monkeypatch: pytest.MonkeyPatch) -> Beside:
    noted = Beside(made)
    made.relay, made.voice, made.listener = cast("Any", noted), cast("Any", object()), cast("Any", object())
    monkeypatch.setattr(module, "converse", noted.converse)
    return noted


# -- what it does when it is asked


@pytest.mark.parametrize(("asked", "answers"), [
    (OrderConfirmed, [StockReleased]), (CancelOrder, [StockReleased, FundsReleased]), (FundsReleased, [])])
def test_what_an_act_says_is_committed_and_then_handed_over(
    asked: type[Message], answers: list[type[Message]], made: Service, beside: Beside
) -> None:
    wish = word(asked)
    assert made.perform(wish) == tuple(answer(order_id=wish.order_id) for answer in answers)
    [(said, committed)] = beside.soon
    assert [one.type for one in said] == [answer.__name__ for answer in answers] and committed == len(answers)
    assert beside.talks == []


def test_what_was_said_before_is_not_handed_over_again(made: Service, beside: Beside) -> None:
    wish = word(OrderConfirmed)
    for _ in range(2):
        made.perform(wish)
    assert [len(said) for said, _ in beside.soon] == [1, 0]


def test_an_act_that_fails_says_nothing(made: Service, beside: Beside) -> None:
    def fails(session: Session) -> None:
        raise RuntimeError("after the act")

    with pytest.raises(RuntimeError):
        made.perform(word(OrderConfirmed), look=fails)
    assert beside.soon == [] and made.database.read(outbox.unsent) == 0


def test_a_look_sees_the_act_in_its_own_transaction(made: Service, beside: Beside) -> None:
    seen: list[tuple[str, bool, int]] = []

    def note(what: str, session: Session) -> None:
        rows = session.execute(select(func.count(journal.outbox.c.id))).scalar_one()
        seen.append((what, made.database._writing.locked(), rows))

    made._acts[FundsReleased] = lambda session, _: note("act", session)
    made.perform(word(FundsReleased), look=lambda session: note("look", session))
    assert seen == [("act", True, 0), ("look", True, 0)]


def test_what_it_begins_travels_in_its_mode_and_says_until_when(made: Service, beside: Beside) -> None:
    configure(messaging_mode="topic", order_deadline_seconds=30)
    made.perform(word(OrderConfirmed), traceparent=TRACE)
    [([said], _)] = beside.soon
    assert (said.mode, said.address, said.headers["traceparent"]) == ("topic", str(Topic("stock.released")), TRACE)
    assert abs(said.headers["deadline"] - runtime().now() - 30) < 20


def test_who_waits_for_the_order_is_woken_after_the_commit(
    made: Service, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[list[Any], int]] = []
    monkeypatch.setattr(made.waiting, "news", lambda orders: told.append((orders, made.database.read(outbox.unsent))))
    wish = word(OrderConfirmed)
    made.perform(wish)
    assert told == [([wish.order_id], 1)]


@pytest.mark.parametrize(("mode", "wait", "left", "talks"), [
    ("rpc", True, 9.0, True), ("rpc", False, 9.0, False), ("rpc", True, -1.0, False), ("topic", True, 9.0, False)])
def test_questions_are_asked_here_and_now_where_somebody_waits_for_the_answers(
    mode: str, wait: bool, left: float, talks: bool, made: Service, beside: Beside
) -> None:
    configure(messaging_mode=mode)
    until = runtime().monotonic() + left
    made.perform(word(CancelOrder), wait=wait, until=until)
    assert (len(beside.talks), len(beside.soon)) == ((1, 0) if talks else (0, 1))
    if talks:
        assert [one.awaits_answer for one in beside.talks[0][0]] == [True, False] and beside.talks[0][1] == until


def test_nobody_waits_longer_than_is_set_for_answers(made: Service, beside: Beside) -> None:
    configure(messaging_mode="rpc", rpc_wait_seconds=4)
    before = runtime().monotonic()
    made.perform(word(CancelOrder), wait=True)
    assert before + 4 <= beside.talks[0][1] <= runtime().monotonic() + 4


# -- how it begins


@in_simulated_time
def test_it_makes_its_tables_connects_and_does_its_chores_until_it_stops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    use(EmbeddedTransport())
    configure(messaging_mode="topic")
    done: list[Service] = []
    made = service(tmp_path, done.append)
    assert (made.trouble, made.has_begun, made.refusal) == ("not started", False, None)
    assert topology._known == {"own": WIRINGS}, "whoever connects declares its queues too"
    made.start()
    assert (made.trouble, made.has_begun, made.finished) == (None, True, True)
    assert made.voice.link.connected, "it is ready when the port opens"
    assert made.listener.link.opened(1) and made.listener.link.trouble is None
    wish = word(OrderConfirmed)
    made.perform(wish)
    let_pass(5)
    assert made.listener.counts["handled"] == 1 and made.database.read(outbox.unsent) == 0
    assert set(done) == {made}
    assert made.stop() and (made.trouble, made.has_begun, made.finished) == ("stopped", False, True)
    assert [made.voice.link.trouble, made.listener.link.trouble] == ["stopped"] * 2
    assert not made.relay._thread.is_alive() and made.database._engine is None
    made.start()
    assert made.trouble is None and made.stop(), "it may begin again"
    assert caplog.records == []


@in_simulated_time
def test_an_answer_that_nobody_waits_for_is_handled_as_any_message(tmp_path: Path) -> None:
    use(EmbeddedTransport())
    made, heard = service(tmp_path), list[Any]()
    made.start()
    made.listener.handle = heard.append  # type: ignore[method-assign, assignment]
    made.voice._unawaited(cast("Any", None), [cast("Any", "answer")])
    assert heard == [["answer"]] and made.stop()


@in_simulated_time
def test_a_broker_that_is_away_holds_nobody_up_for_long(tmp_path: Path) -> None:
    use(broker := EmbeddedTransport())
    broker.stop()
    made, began = service(tmp_path), runtime().monotonic()
    made.start()
    assert made.has_begun and runtime().monotonic() == began + START_SECONDS
    assert made.stop()


class Away:
    """A database that is away, so many times that somebody wants to prepare it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, errors: list[Exception]) -> None:
        self.at: list[float] = []
        self.errors = errors
        self.real = schema.prepare
        monkeypatch.setattr(schema, "prepare", self.prepare)

    def prepare(self, *arguments: Any) -> None:
        self.at.append(runtime().monotonic())
        if self.errors:
            raise self.errors.pop(0)
        self.real(*arguments)


@in_simulated_time
def test_a_database_that_is_away_is_waited_for_in_the_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(EmbeddedTransport())
    away, made = Away(monkeypatch, [DatabaseUnavailable("away")] * 12), service(tmp_path)
    made.start()
    assert (made.trouble, made.has_begun) == ("away", False)
    assert [record.message for record in caplog.records] == ["away; waiting for it."]
    let_pass(100)
    assert (made.trouble, made.has_begun, len(away.at)) == (None, True, 13)
    pauses = [after - before for before, after in pairwise(away.at[1:])]
    assert 0.2 + 0.4 + 0.8 + 1.6 <= sum(pauses[:4]) <= 7 and max(pauses) <= 6 and made.stop()


@in_simulated_time
def test_what_is_wrong_is_known_before_anybody_sees_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(EmbeddedTransport())
    Away(monkeypatch, [DatabaseUnavailable("away")])
    made, known = service(tmp_path), list[str | None]()
    monkeypatch.setattr(runtime(), "thread", lambda _, target: SimpleNamespace(start=target))  # it is done at once
    monkeypatch.setattr(made, "_begin_when_possible", lambda: known.append(made.trouble))
    made.start()
    assert known == ["away"]


@in_simulated_time
def test_who_is_stopped_while_the_database_is_away_begins_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(EmbeddedTransport())
    away, made = Away(monkeypatch, [DatabaseUnavailable("away")] * 99), service(tmp_path)
    made.start()
    assert made.stop()
    let_pass(60)
    assert (made.trouble, made.has_begun) == ("stopped", False) and len(away.at) <= 3


@in_simulated_time
def test_who_is_stopped_before_the_tables_are_there_begins_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(EmbeddedTransport())
    away, made = Away(monkeypatch, [DatabaseUnavailable("away")]), service(tmp_path)
    away.real = lambda *_: let_pass(5)
    made.start()
    let_pass(2)
    assert len(away.at) == 2 and made.stop()
    let_pass(60)
    assert (made.trouble, made.has_begun) == ("stopped", False)
    assert not any(link._thread.is_alive() for link in (made.voice.link, made.listener.link))


@in_simulated_time
def test_tables_of_another_version_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(EmbeddedTransport())
    mismatch, refused = SchemaMismatch("other tables"), list[str]()
    Away(monkeypatch, [mismatch, mismatch, DatabaseUnavailable("away"), mismatch])
    made = service(tmp_path)
    with pytest.raises(SchemaMismatch):
        made.start()
    made.on_refusal = lambda: refused.append(str(made.refusal))
    made.start()
    assert (refused, made.trouble, made.has_begun) == (["other tables"], "other tables", False)
    made.start()
    assert made.refusal is None
    let_pass(10)
    assert refused == ["other tables"] * 2 and made.refusal is mismatch
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]
    assert made.stop()


# -- how it ends


def test_who_never_began_has_nothing_to_finish(tmp_path: Path) -> None:
    made = service(tmp_path)
    assert made.stop() and (made.trouble, made.finished) == ("stopped", True)


@in_simulated_time
def test_who_is_told_to_stop_while_it_begins_says_that_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(EmbeddedTransport())
    Away(monkeypatch, [DatabaseUnavailable("away")])
    made = service(tmp_path)
    made.start()
    monkeypatch.setattr(made.voice.link, "start", lambda: let_pass(5))
    let_pass(3)
    assert made._beginning.held
    made.drain()
    assert (made.has_begun, made.trouble) == (True, "stopping")
    assert made.listener.link.stopping.is_set()


@in_simulated_time
def test_draining_ends_what_waits_and_takes_nothing_new(tmp_path: Path) -> None:
    use(EmbeddedTransport())
    configure(drain_seconds=10)
    made = service(tmp_path)
    made.start()
    began = runtime().monotonic()
    made.drain()
    assert made.trouble == "stopping" and made.listener.link._until == began + 10 * EARS_SHARE
    with made.waiting.seat(5) as seat:
        assert seat is None
    let_pass(3)
    made.drain()
    assert made._until == began + 10, "the first one counts"
    assert made.stop()
    made.start()
    with made.waiting.seat(5) as seat:
        assert isinstance(seat, Seat)
    made.drain()
    assert made._until is not None and made._until > began + 10 and made.stop()


@in_simulated_time
def test_what_takes_too_long_is_said_and_the_ears_leave_time_for_the_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(EmbeddedTransport())
    configure(drain_seconds=10)
    made, given = service(tmp_path), list[tuple[str, float]]()
    made.start()
    for what, name, takes in ((made.listener, "ears", 9.0), (made.relay, "relay", 2.0), (made.voice.link, "voice", 0.0)):
        def slow(seconds: float, name: str = name, takes: float = takes) -> bool:
            given.append((name, round(seconds, 6)))
            let_pass(takes)
            return name != "relay"

        monkeypatch.setattr(what, "stop", slow)
    assert not made.stop() and not made.finished
    assert given == [("ears", 10 * EARS_SHARE), ("relay", 1.0), ("voice", LEAST_SECONDS)]
    assert [record.message.split(";")[0] for record in caplog.records] == ["Not finished within 10 s (DRAIN_SECONDS)"]


@in_simulated_time
def test_a_crash_breaks_everything_off(tmp_path: Path) -> None:
    use(EmbeddedTransport())
    made = service(tmp_path)
    made.abandon()
    made.start()
    made.abandon()
    let_pass(1)
    assert not made.voice.link.connected and not made.listener.link.connected
    assert not made.relay._thread.is_alive() and made._stopping.is_set()

"""``orderflow torture``, small; and that it would notice, if it had anything to notice."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from typer.testing import CliRunner

from lab import cli
from lab.audit import Report
from lab.promises import Promise
from lab.torture import Plan, TortureTrouble, processes, torture
from lab.torture.history import History
from lab.torture.outages import Broker, Outage, promises_of
from lab.torture.result import Result, Totals
from lab.torture.supply import Supply
from lab.torture.truth import Told, check_truth
from lab.torture.wishes import Wish
from patterns.settings import MODES, configure
from patterns.shop import SERVICES


def broken(totals: Totals) -> list[Any]:
    promises = [promise for result in totals.results for promise in (*result.report.promises, *result.truths)]
    return [*totals.endings, *totals.audit.unfinished, *((one.text, one.broken) for one in promises if one.broken)]


@pytest.mark.whole
def test_the_embedded_shop_keeps_its_promises_when_killed_in_every_mode() -> None:
    totals = torture(Plan(orders=30, clients=8, kills=1, embedded=True, seed=1))
    assert totals.clean, broken(totals)
    assert [(result.mode, result.orders, result.killed) for result in totals.results] == [
        (mode, result.orders, {"shop": 1}) for mode, result in zip(MODES, totals.results, strict=True)
    ]
    for result in totals.results:
        assert sum(result.endings.values()) == result.orders >= 30
        assert {"SUCCESS", "FAILED"} == result.endings.keys()
        assert result.retried > 0, "clients met a dead shop, and asked again"


@pytest.mark.real
@pytest.mark.whole
def test_services_of_their_own_process_keep_their_promises_when_killed(rabbitmq_url: str, database_url: str) -> None:
    configure(rabbitmq_url=rabbitmq_url, database_url=database_url)
    totals = torture(Plan(modes=("rpc", "topic"), orders=30, clients=8, kills=3, instances=1, seed=15))
    assert totals.clean, broken(totals)
    victims = {name for result in totals.results for name in result.killed}
    assert victims == {f"{service}-1" for service in SERVICES}
    assert all(sum(result.endings.values()) == result.orders >= 30 for result in totals.results)


@pytest.mark.real
@pytest.mark.timeout(400)
@pytest.mark.whole
def test_rabbitmq_may_go_away_under_load_and_every_consumer_is_back(database_url: str) -> None:
    configure(rabbitmq_url="", database_url=database_url)
    totals = torture(Plan(modes=("topic",), orders=30, clients=6, kills=0, restarts=2, instances=1, seed=4))
    assert totals.clean, broken(totals)
    [result] = totals.results
    assert [outage.how for outage in result.outages] == ["stopped", "killed"]
    assert sum(result.endings.values()) == result.orders >= 30


def test_only_a_rabbitmq_of_its_own_is_taken_away() -> None:
    configure(rabbitmq_url="amqp://somebody:else@127.0.0.1:1/theirs")
    for plan in (Plan(restarts=1), Plan(restarts=1, embedded=True)):
        with pytest.raises(TortureTrouble, match="of the torture's own"):
            torture(plan)


def test_an_outage_that_somebody_did_not_notice_or_come_back_from_is_a_broken_promise() -> None:
    well = Outage("stopped", 7.0, 0.5)
    assert not [promise for promise in promises_of([well]) if promise.broken]
    for worse in (replace(well, never_red=["user-1"]), replace(well, not_back=["user.topic has 0 consumers, not 1"])):
        [promise] = [promise for promise in promises_of([well, worse]) if promise.broken]
        assert promise.broken == [f"outage 2 (stopped): {(worse.never_red + worse.not_back)[0]}"]


# -- what it would notice


def wished() -> tuple[Wish, History, dict[UUID, Any], dict[UUID, str]]:
    """One order, accepted, a success; everything told is true."""
    wish = Wish(0, "key", "topic", 7, ((1, 1),), None)
    history = History()
    answer(history, "place", wish, 202, "PROCESSING")
    answer(history, "look", wish, 200, "SUCCESS")
    return wish, history, {wish.order_id: SimpleNamespace(status="SUCCESS", user_id=7, placed_at=0.0)}, {
        wish.order_id: "SUCCESS"}


def answer(history: History, what: Any, wish: Wish, code: int | None, status: str = "", told: UUID | None = None) -> None:
    body = {"id": str(told or wish.order_id), "status": status}
    history.note(what, wish.order_id, 0.0, None if code is None else httpx.Response(code, json=body))


Lie = Callable[[Wish, History, dict[UUID, Any], dict[UUID, str]], None]

LIES: dict[str, Lie] = {
    "accepted, and not there": lambda _, __, stored, ___: stored.clear(),
    "there, and not shown": lambda wish, _, __, shown: shown.update({wish.order_id: "404"}),
    "two orders for a key": lambda _, __, stored, ___: stored.update({uuid4(): stored[next(iter(stored))]}),
    "another id the second time": lambda wish, history, _, __: answer(history, "place", wish, 200, "SUCCESS", uuid4()),
    "told FAILED, is SUCCESS": lambda wish, history, _, __: answer(history, "place", wish, 201, "FAILED"),
    "told SUCCESS, is PROCESSING": lambda wish, _, stored, __: setattr(stored[wish.order_id], "status", "PROCESSING"),
    "not cancelled, is FAILED": lambda wish, history, _, __: answer(history, "cancel", wish, 200, "PROCESSING"),
    "an internal error": lambda wish, history, _, __: answer(history, "look", wish, 500),
    "nobody answered": lambda _, history, __, ___: history.accepted.clear(),
}


def test_the_truth_is_believed() -> None:
    wish, history, stored, shown = wished()
    answer(history, "place", wish, None)  # no answer is no lie
    answer(history, "cancel", wish, 409)
    assert [promise for promise in check_truth(Told({wish.order_id: wish}, history, stored, shown)) if promise.broken] == []


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_noticed(lie: str) -> None:
    wish, history, stored, shown = wished()
    LIES[lie](wish, history, stored, shown)
    assert [promise for promise in check_truth(Told({wish.order_id: wish}, history, stored, shown)) if promise.broken]


def test_who_asks_for_ever_and_is_told_nothing_was_not_answered() -> None:
    wish, history, stored, shown = wished()
    history.accepted.clear()
    history.requests.clear()
    for code in (503, None, 503):
        answer(history, "place", wish, code)
    history.gave_up("place", wish.order_id)
    [promise] = [one for one in check_truth(Told({wish.order_id: wish}, history, stored, shown)) if one.broken
                 and "patience" in one.text]
    assert promise.broken[0].startswith("key: 2 times 503, 1 times no answer in ")


def test_a_cancelling_that_is_told_nothing_was_not_answered() -> None:
    wish, history, stored, shown = wished()
    answer(history, "cancel", wish, 503)
    history.gave_up("cancel", wish.order_id)
    [promise] = [one for one in check_truth(Told({wish.order_id: wish}, history, stored, shown)) if one.broken]
    assert promise.broken[0].startswith("key: 1 times 503 in ")


@pytest.mark.parametrize("code", [None, 503])
def test_when_all_are_well_nobody_is_left_without_an_answer(code: int | None) -> None:
    wish, history, stored, shown = wished()
    answer(history, "look", wish, code)
    told = Told({wish.order_id: wish}, history, stored, shown)
    for since, kept in ((None, True), (0.0, True), (-1.0, False)):  # the request began at 0
        broken = [one.text for one in check_truth(replace(told, well_since=since)) if one.broken]
        assert (not broken) is kept, broken


def test_a_mode_in_which_hardly_anything_succeeded_says_little() -> None:
    few, enough = {"SUCCESS": 2, "FAILED": 18}, {"SUCCESS": 3, "FAILED": 17}
    everything = totals()
    for by_mode, hardly in (({"rpc": few, "topic": enough}, ["rpc: 2 of 20 orders succeeded, at least 15% should"]),
                            ({"topic": enough}, []), ({"topic": {"FAILED": 6}}, [])):
        everything.results[0].by_mode = by_mode
        assert (everything.hardly, everything.clean) == (hardly, not hardly)


def test_orders_begin_as_they_are_permitted_and_flow_while_something_is_broken() -> None:
    supply = Supply(iter([wished()[0]] * 1000))
    supply.permit(2)
    assert supply.take(0) and supply.take(0)
    assert supply.take(0) is None
    with supply.flowing(lambda: True):
        assert supply.take(60), "one more, for something is broken"
    supply.last_call()
    while supply.left:
        supply.take(0)
    assert supply.take(60) is None, "there is no more, and nobody waits for it"


def totals(*, promise: str = "", truth: str = "", ending: str = "", left: str = "") -> Totals:
    report = Report([Promise("promise", [promise] * bool(promise))], {}, {}, [left] * bool(left))
    truths = [Promise("truth", [truth] * bool(truth))]
    ended = {"SUCCESS": 1}
    result = Result("topic", 1, ended, {"topic": ended}, {}, {}, [], {}, {}, {}, 1, 0, 0, 1.0, 1.0, report, truths)
    return Totals([result], [ending] * bool(ending), replace(report, promises=[], unfinished=[]))


@pytest.mark.parametrize("output", [[], ["--json"]])
@pytest.mark.parametrize(("wrong", "status"), [
    ({}, 0), ({"promise": "lost"}, 1), ({"truth": "a lie"}, 1), ({"ending": "did not end"}, 1), ({"left": "a message"}, 1),
])
def test_the_exit_status_says_whether_all_was_kept(
    wrong: dict[str, str], status: int, output: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lab import torture as torturing

    monkeypatch.setattr(torturing, "torture", lambda _, __: totals(**wrong))
    done = CliRunner().invoke(cli.app, ["torture", "--mode", "topic", *output])
    assert done.exit_code == status, done.output
    assert all(word in done.output for word in wrong.values())


def test_a_shop_that_does_not_start_ends_the_torture_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_ORDERFLOW", [sys.executable, "-c", "raise SystemExit('no luck today')"])
    with pytest.raises(TortureTrouble, match="no luck today") as trouble:
        torture(Plan(modes=("topic",), orders=1, kills=0, embedded=True))
    [log] = re.findall(r"The end of (.*):", str(trouble.value))
    assert Path(log).exists(), "kept for whoever wants to know more"
    shutil.rmtree(Path(log).parent)


def test_an_outage_that_was_broken_off_accuses_nobody() -> None:
    calls: list[str] = []
    node: Any = SimpleNamespace(stop=lambda: calls.append("stop"), start=lambda: calls.append("start"))
    process: Any = SimpleNamespace(name="order-1", services={"order": "http://127.0.0.1:9"})  # where nobody listens
    over = threading.Event()
    over.set()
    outage = Broker(node, [process], 1).take_away(crash=False, given_up=over)
    assert (calls, outage.never_red, outage.not_back) == (["stop", "start"], [], [])

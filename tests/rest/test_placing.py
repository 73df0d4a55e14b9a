"""POST /orders: every shape of an order, its key, and how long a client may wait for its ending."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select

from lab import clients
from lab.books import database_of
from lab.shop import app_of
from order.models import orders
from patterns import settings as settings_module
from patterns import turns, waiting
from patterns.settings import MODES, settings
from patterns.shop import order_id_for
from tests.flows.words import PATIENCE_SECONDS, Words, key_for, until

JSON = {"content-type": "application/json"}


def setting(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Change settings of the open shop."""
    monkeypatch.setattr(settings_module, "_current", settings().model_copy(update=values))


def stored() -> int:
    count = select(func.count()).select_from(orders)
    return int(database_of("order").read(lambda session: session.execute(count).scalar_one()))


def post(words: Words, body: Any, path: str = "/orders", **headers: str) -> httpx.Response:
    return words.shop.http("order").post(path, json=body, headers=headers)


@pytest.fixture
def order(words: Words) -> dict[str, Any]:
    """A good order's body."""
    return {"user_id": words.customer(100_000), "product_id": words.goods(1_000, 100), "quantity": 1}


# -- shapes


@pytest.mark.whole(shop="real", prefix="/api/v1")
@pytest.mark.whole(shop="real", name=("owner_id", "customer_id"))
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("name", ["user_id", "owner_id", "customer_id"])
@pytest.mark.parametrize("lines", ["one product", "one product, one piece", "items"])
@pytest.mark.parametrize("amount", [
    {}, {"amount": "30.00"}, {"amount": 30.0}, {"amount": 30}, {"amount_cents": 3_000},
], ids=str)
def test_every_shape_is_the_same_order(words: Words, prefix: str, name: str, lines: str, amount: dict[str, Any]) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000 if lines != "one product, one piece" else 3_000, 5)
    goods: dict[str, Any] = {
        "one product": {"product_id": chair, "quantity": 3}, "one product, one piece": {"product_id": chair},
        "items": {"items": [{"product_id": chair, "quantity": 1}, {"product_id": chair, "quantity": 2}]},
    }[lines]
    body = {name: ada, **goods, **amount, "mode": "topic"}
    answer = post(words, body, f"{prefix}/orders", Prefer="wait=30", **{"Idempotency-Key": key_for(ada)})
    assert (answer.status_code, answer.json()["status"], answer.json()["amount_cents"]) == (201, "SUCCESS", 3_000)
    assert answer.headers["location"] == f"{prefix}/orders/{answer.json()['id']}"


@pytest.mark.parametrize("amount", [{"amount": "9.99"}, {"amount": 10.01}, {"amount": 0}, {"amount_cents": 10**18}], ids=str)
def test_an_amount_that_is_not_the_price_fails_and_says_both(words: Words, order: Any, amount: dict[str, Any]) -> None:
    answer = post(words, {**order, **amount}, Prefer="wait=30")
    assert (answer.status_code, answer.json()["status"]) == (201, "FAILED")
    assert "the amount is 1000 cents, not " in answer.json()["reason"]
    words.quiet()


# -- keys


def test_a_key_asked_again_is_the_order_as_it_is_now(words: Words, order: Any) -> None:
    key = key_for(order["user_id"])
    words.shop.stop("payment")
    try:
        first = post(words, {**order, "mode": "topic"}, **{"Idempotency-Key": key})
        again = post(words, {**order, "mode": "topic"}, **{"Idempotency-Key": key})
        assert [answer.status_code for answer in (first, again)] == [202, 202]
    finally:
        words.shop.start("payment")
    words.settled(UUID(first.json()["id"]))
    last = post(words, {**order, "mode": "topic"}, **{"Idempotency-Key": key})
    assert (last.status_code, last.json()["status"], last.json()["id"]) == (200, "SUCCESS", first.json()["id"])
    assert last.headers["location"] == first.headers["location"]


def test_another_body_under_the_same_key_is_refused_and_changes_nothing(words: Words, order: Any) -> None:
    key = {"Idempotency-Key": key_for(order["user_id"])}
    first = post(words, order, Prefer="wait=30", **key).json()
    for other in ({"quantity": 2}, {"product_id": words.goods(1, 1)}, {"amount": "10.00"}, {"mode": "saga"}):
        answer = post(words, {**order, **other}, **key)
        assert answer.status_code == 422
        assert "Idempotency-Key" in answer.json()["detail"]
    same = {"owner_id": order["user_id"], "items": [{"product_id": order["product_id"], "quantity": 1}]}
    assert post(words, same, **key).json() == first


def test_the_same_key_of_another_customer_is_another_order(words: Words, order: Any) -> None:
    key = {"Idempotency-Key": "one-key-for-two"}
    other = {**order, "user_id": words.customer(100_000)}
    assert post(words, order, **key).json()["id"] != post(words, other, **key).json()["id"]


def test_a_key_means_the_same_order_though_the_shop_changes_its_mode(
    words: Words, order: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"Idempotency-Key": key_for(order["user_id"])}
    setting(monkeypatch, messaging_mode="topic")
    first = post(words, order, Prefer="wait=30", **key)
    setting(monkeypatch, messaging_mode="fanout")
    again = post(words, order, **key)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.json()["mode"] == "topic"


@pytest.mark.whole(shop="real", mode=("default", "fanout", "direct", "saga"))
@pytest.mark.parametrize("mode", MODES)
def test_many_clients_with_one_key_at_once_are_one_order(words: Words, order: Any, mode: str) -> None:
    key = key_for(order["user_id"])
    with ThreadPoolExecutor(12) as clients:
        asked = [clients.submit(post, words, {**order, "mode": mode}, **{"Idempotency-Key": key, "Prefer": "wait=30"})
                 for _ in range(12)]
        answers = [one.result(PATIENCE_SECONDS) for one in asked]
    assert {answer.json()["id"] for answer in answers} == {str(order_id_for(order["user_id"], key))}
    assert sum(answer.status_code == 201 for answer in answers) == 1
    assert {(answer.status_code, answer.json()["status"]) for answer in answers} == {(201, "SUCCESS"), (200, "SUCCESS")}
    words.quiet()
    assert words.money(order["user_id"]) == (99_000, 0, 1_000)


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\there", b"caf\xe9", b"\xf0\x9f\x8d\x95", b"a\x7f"], ids=repr)
def test_a_key_that_cannot_be_printed_or_is_too_long_is_refused(words: Words, order: Any, key: Any) -> None:
    before = stored()
    answer = words.shop.http("order").post("/orders", json=order, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["header", "Idempotency-Key"]
    assert stored() == before


@pytest.mark.parametrize("key", ["k", "k" * 255, "a key with blanks", "'; DROP TABLE orders; --", "%00", '"quoted"'])
def test_any_other_key_is_a_key(words: Words, order: Any, key: str) -> None:
    first, second = (post(words, order, **{"Idempotency-Key": key}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"] == str(order_id_for(order["user_id"], key))


def test_a_key_is_not_used_up_by_an_order_that_makes_no_sense(words: Words, order: Any) -> None:
    key, before = {"Idempotency-Key": key_for(order["user_id"])}, stored()
    assert post(words, {**order, "quantity": 0}, **key).status_code == 422
    for raw, headers in ((b"{", JSON), (b" " * 70_000, JSON), (b"quantity=1", {})):
        assert words.shop.http("order").post("/orders", content=raw, headers={**headers, **key}).status_code >= 400
    assert stored() == before
    assert post(words, order, **key).status_code < 300
    assert stored() == before + 1


# -- Prefer: wait


@pytest.fixture
def nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only news ends the waiting."""
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 3600)


@pytest.mark.whole(shop="real", mode=("default", "fanout", "direct", "saga"))
@pytest.mark.parametrize("paid", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_who_waits_is_told_the_ending_in_every_mode(
    words: Words, order: Any, mode: str, paid: bool, nobody_looks: None
) -> None:
    key = key_for(order["user_id"], paid=paid)
    answer = post(words, {**order, "mode": mode}, Prefer="wait=30", **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["status"]) == (201, "SUCCESS" if paid else "FAILED")
    assert answer.headers["preference-applied"] == "wait=30"
    words.quiet()


@pytest.mark.whole(shop="real", mode=("default", "fanout", "direct", "saga"))
@pytest.mark.parametrize("mode", MODES)
def test_who_waits_in_vain_is_told_that_it_is_under_way(words: Words, order: Any, mode: str) -> None:
    words.shop.stop("payment")
    try:
        answer = post(words, {**order, "mode": mode}, Prefer="respond-async, wait=1",
                      **{"Idempotency-Key": key_for(order["user_id"])})
        assert (answer.status_code, answer.json()["status"]) == (202, "PROCESSING")
        assert answer.headers["preference-applied"] == "wait=1"
    finally:
        words.shop.start("payment")
    assert words.settled(UUID(answer.json()["id"]))["status"] == "SUCCESS"


@pytest.mark.whole(shop="real", mode=("default", "fanout", "direct", "saga"))
@pytest.mark.parametrize("mode", MODES)
def test_who_does_not_want_to_wait_is_answered_at_once(words: Words, order: Any, mode: str) -> None:
    words.shop.stop("product")
    try:
        answer = post(words, {**order, "mode": mode}, Prefer="wait=0", **{"Idempotency-Key": key_for(order["user_id"])})
        assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=0")
    finally:
        words.shop.start("product")
    assert words.settled(UUID(answer.json()["id"]))["status"] == "SUCCESS"


def test_nobody_waits_longer_than_the_setting_allows(words: Words, order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    setting(monkeypatch, prefer_wait_seconds=1)
    words.shop.stop("payment")
    try:
        answer = post(words, {**order, "mode": "topic"}, Prefer="wait=999999999")
        assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    finally:
        words.shop.start("payment")
    words.quiet()


@pytest.mark.parametrize("prefer", ["wait", "wait=soon", "wait=-1", "return=minimal", ""])
def test_a_preference_nobody_understands_is_ignored(words: Words, order: Any, prefer: str) -> None:
    answer = post(words, {**order, "mode": "topic"}, Prefer=prefer)
    assert answer.status_code in (201, 202)
    assert "preference-applied" not in answer.headers


@pytest.fixture
def one_turn(words: Words, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An order service that lets one client in at a time, of those who may wait."""
    with monkeypatch.context() as patched:
        patched.setattr(turns, "AT_ONCE", 1)
        words.shop.stop("order")
        words.shop.start("order")
        yield
    words.shop.stop("order")
    words.shop.start("order")


@pytest.fixture
def long_wait(words: Words, order: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[httpx.Response]]:
    """A client who waits for an order that does not settle, since payment is away; and who has one of one seat."""
    setting(monkeypatch, prefer_wait_seconds=3600, waiters_at_once=1)
    key, answers = key_for(order["user_id"]), list[httpx.Response]()
    url = str(words.shop.http("order").base_url.join("/orders"))
    headers = {"Idempotency-Key": key, "Prefer": "wait=3600"}
    client = threading.Thread(target=lambda: answers.append(
        clients.post(url, json={**order, "mode": "topic"}, headers=headers, timeout=PATIENCE_SECONDS)))
    words.shop.stop("payment")
    try:
        client.start()
        until(lambda: words.shop.service("order").waiting._bells, "somebody waits")
        until(lambda: words.money(order["user_id"])[1] == 1_000, "the order has come to payment")
        yield answers
    finally:
        words.shop.start("payment")
        client.join(PATIENCE_SECONDS)
    assert not client.is_alive()


def test_no_transaction_is_open_while_somebody_waits(
    words: Words, long_wait: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Any = words.shop.service("order").database.engine.pool
    until(lambda: pool.checkedout() == 0, "the order service has no connection to its database in use")
    assert not long_wait


def test_a_new_order_is_not_looked_at_again(words: Words, order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order.routes._order", lambda _: pytest.fail("it is told as the transaction left it"))
    told = post(words, {**order, "mode": "topic"}).json()
    monkeypatch.undo()
    assert (told["status"], told["mode"], told["saga_state"]) == ("PROCESSING", "topic", "STARTED")
    found = words.look(told["id"])
    assert [told[name] for name in ("lines", "placed_at", "deadline_at")] == [
        found[name] for name in ("lines", "placed_at", "deadline_at")]


def test_who_finds_no_seat_is_answered_at_once_and_all_else_goes_on(
    words: Words, order: Any, long_wait: list[httpx.Response]
) -> None:
    answer = post(words, {**order, "mode": "topic"}, Prefer="wait=3600")
    assert (answer.status_code, answer.json()["status"]) == (202, "PROCESSING")
    assert "preference-applied" not in answer.headers
    assert words.look(answer.json()["id"])["status"] == "PROCESSING"
    assert not long_wait


def test_time_in_the_row_counts_as_waited_and_all_else_goes_on(
    words: Words, order: Any, one_turn: None, long_wait: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, granted = words.shop.service("order"), list[float]()
    perform = service.perform
    monkeypatch.setattr(service, "perform", lambda *told, until, **more: (
        granted.append(until), perform(*told, until=until, **more))[1])
    with ThreadPoolExecutor(1) as clients:
        second = clients.submit(post, words, {**order, "mode": "rpc"})
        row = app_of("order").state.turns
        until(lambda: row.statistics().tasks_waiting == 1, "the second client stands in the row")
        stood_there = time.monotonic()
        assert words.shop.http("order").get("/readyz").status_code == 200
        assert not long_wait
        assert not granted
        words.shop.start("payment")
        try:
            answer = second.result(PATIENCE_SECONDS)
        finally:
            words.shop.stop("payment")
    assert answer.status_code in (201, 202)
    [until_when] = granted
    assert until_when <= stood_there + settings().rpc_wait_seconds


def test_who_waits_when_the_service_stops_is_answered_as_it_stands(words: Words, long_wait: list[httpx.Response]) -> None:
    words.shop.stop("order")
    try:
        [answer] = until(lambda: long_wait, "the client has an answer")
        assert (answer.status_code, answer.json()["status"]) == (202, "PROCESSING")
    finally:
        words.shop.start("order")


def test_an_ending_that_another_instance_writes_is_found(
    words: Words, order: Any, long_wait: list[httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words.shop.service("order").waiting, "news", lambda _: None)
    monkeypatch.setattr(words.shop.service("order").listener, "_news", lambda _: None)
    words.shop.start("payment")
    try:
        [answer] = until(lambda: long_wait, "the client has an answer")
    finally:
        words.shop.stop("payment")
    assert (answer.status_code, answer.json()["status"]) == (201, "SUCCESS")


def test_a_malformed_trace_context_is_ignored(words: Words, order: Any) -> None:
    good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for sent, kept in ((good, good), ("nonsense", None), ("", None), (good.upper(), None)):
        answer = post(words, {**order, "mode": "topic"}, traceparent=sent, **{"Idempotency-Key": str(uuid4())})
        assert answer.status_code in (201, 202)
        [placed] = [one for service, one in words.said(answer.json()["id"]) if one.type == "OrderPlaced"]
        assert placed.headers.get("traceparent") == kept

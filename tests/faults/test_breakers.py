"""Who does not answer is left alone: the gateway, and in mode rpc whoever is asked.  Nothing is parked or lost for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lab.local import LocalShop
from lab.queues import queue_depths
from patterns.settings import MODES, configure, settings
from tests.faults.trade import look
from tests.flows.words import Words, key_for, until

DELAYS = (0.1, 0.2, 0.3)


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def open_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., LocalShop]]:
    """Opens a shop, with settings; embedded, or on real servers."""
    servers = {}
    if request.param == "real":
        servers = {name: request.getfixturevalue(name) for name in ("rabbitmq_url", "database_url")}
    with ExitStack() as opened:
        yield lambda **chosen: opened.enter_context(
            LocalShop(orderflow_home=tmp_path, retry_delays_seconds=DELAYS, order_deadline_seconds=600, **servers, **chosen)
        )


def change(**chosen: Any) -> None:
    """Change settings of the open shop."""
    configure(**{**settings().model_dump(), **chosen})


def test_a_gateway_that_is_away_parks_nothing_however_long_and_all_settles_when_it_is_back(
    open_shop: Callable[..., LocalShop]
) -> None:
    shop = open_shop(gateway_outage_rate=1, breaker_failures=3, breaker_seconds=0.3, rpc_wait_seconds=0.5)
    everywhere = [Words(shop, mode) for mode in MODES]
    ada, chair = everywhere[0].customer(1_000_000), everywhere[0].goods(1_000, 50)
    placed = [words.order(ada, {chair: 1}) for words in everywhere for _ in range(2)]
    told = until(lambda: (told := look(shop, "payment"))["status"] == "degraded" and told, "its breaker opens")
    assert "does not answer" in told["breakers"]["ask_gateway"]["because"]
    assert told["queues"] and all(told["queues"].values()), "refunds go on"

    # Each message has waited more often than a failing one is tried.
    waits = 2 * len(placed) * (len(DELAYS) + 1)
    until(lambda: look(shop, "payment")["counts"].get("waits", 0) > waits, "all wait, again and again")
    assert not queue_depths()["payment.parked"]
    assert {everywhere[0].look(order)["status"] for order in placed} == {"PROCESSING"}

    for words in everywhere:  # what was done before the gateway is undone without it
        cancelled = words.order(ada, {chair: 1})
        until(lambda: everywhere[0].stock(chair)[1] == len(placed) + 1, "its goods are reserved")
        assert words.cancel(cancelled).json()["status"] == "FAILED"
        until(lambda: everywhere[0].stock(chair)[1] == len(placed), "its goods are back on the shelf")

    change(gateway_outage_rate=0)
    assert {everywhere[0].settled(order)["status"] for order in placed} == {"SUCCESS"}
    until(lambda: look(shop, "payment")["status"] == "ready", "its breaker is closed")
    assert not queue_depths()["payment.parked"]
    everywhere[0].quiet()


@pytest.mark.whole(open_shop="real")
def test_a_gateway_that_is_away_now_and_then_only_slows_orders_down(open_shop: Callable[..., LocalShop]) -> None:
    shop = open_shop(gateway_outage_rate=0.5, breaker_failures=2, breaker_seconds=0.1, rpc_wait_seconds=0.5)
    words = [Words(shop, mode) for mode in ("rpc", "fanout")]
    ada, chair = words[0].customer(1_000_000), words[0].goods(1_000, 50)
    placed = [one.order(ada, {chair: 1}) for one in words for _ in range(10)]
    assert {words[0].settled(order)["status"] for order in placed} == {"SUCCESS"}
    assert look(shop, "payment")["counts"]["waits"] > 0
    words[0].quiet()


@pytest.mark.whole(open_shop="real")
def test_whoever_does_not_answer_a_question_is_not_waited_for_again(open_shop: Callable[..., LocalShop]) -> None:
    shop = open_shop(rpc_wait_seconds=2, breaker_failures=1, breaker_seconds=600)
    words = Words(shop, "rpc")
    ada, chair = words.customer(1_000_000), words.goods(1_000, 50)
    shop.stop("payment")
    slow = words.order(ada, {chair: 1})
    told = look(shop, "order")
    assert (told["status"], told["breakers"]["rpc payment_process"]["state"]) == ("degraded", "open")
    assert "no answer from rpc payment_process" in told["breakers"]["rpc payment_process"]["because"]
    assert told["breakers"]["rpc user_check"]["state"] == "closed"

    change(rpc_wait_seconds=600)  # whoever waited would outlast the client
    answer = words.post({"user_id": ada, "product_id": chair, "quantity": 1}, key := key_for(ada))
    assert (answer.status_code, answer.json()["status"]) == (202, "PROCESSING")
    shop.start("payment")
    for order in (slow, answer.json()["id"]):
        assert words.settled(order)["status"] == "SUCCESS"
    assert words.post({"user_id": ada, "product_id": chair, "quantity": 1}, key).status_code == 200
    words.quiet()


@pytest.mark.whole(open_shop="real")
def test_whoever_answers_again_is_waited_for_again(open_shop: Callable[..., LocalShop]) -> None:
    shop = open_shop(rpc_wait_seconds=1, breaker_failures=1, breaker_seconds=0.1)
    words = Words(shop, "rpc")
    ada, chair = words.customer(1_000_000), words.goods(1_000, 500)
    shop.stop("user")
    words.order(ada, {chair: 1})
    assert look(shop, "order")["breakers"]["rpc user_check"]["state"] != "closed"
    shop.start("user")
    change(rpc_wait_seconds=20)

    def answered_at_once() -> bool:
        return words.post({"user_id": ada, "product_id": chair, "quantity": 1}, key_for(ada)).status_code == 201

    until(answered_at_once, "it is asked again, and answers")
    assert look(shop, "order")["breakers"]["rpc user_check"]["state"] == "closed"
    words.quiet()

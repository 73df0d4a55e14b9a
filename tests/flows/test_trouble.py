"""What happens when something is away, in every mode, embedded and on real servers."""

from __future__ import annotations

from typing import Any

import pytest

from patterns.errors import ConnectionLost
from tests.flows.words import Words, key_for, until
from user import crud as users

RPC_WAIT_SECONDS = 0.5  # somebody is away in most of these tests; nobody needs to wait long to hear that


@pytest.mark.whole(shop="real", words=("default", "fanout", "direct", "saga"))
def test_an_order_cancelled_in_flight_is_undone(words: Words) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    words.shop.stop("payment")
    try:
        order_id, posting = words.order_meanwhile(ada, {chair: 1}, key_for(ada))
        until(lambda: words.money(ada) == (4_000, 1_000, 0), "the money is held")
        answer = words.cancel(order_id)
        assert (answer.status_code, answer.json()["status"]) == (200, "FAILED")
    finally:
        words.shop.start("payment")
    posting.join()
    words.quiet()
    assert (words.money(ada), words.stock(chair)) == ((5_000, 0, 0), (2, 0, 0))
    assert "OrderCancelled" in words.news(order_id)


@pytest.mark.whole(shop="real", words=("default", "fanout", "direct", "saga"))
def test_an_order_is_cancelled_when_its_deadline_passes(words: Words) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    words.shop.stop("delivery")
    try:
        order_id, posting = words.order_meanwhile(ada, {chair: 1}, key_for(ada))
        words.deadline_passes(order_id)
        order = words.settled(order_id)
        assert (order["status"], order["reason"]) == ("FAILED", "not settled before its deadline")
    finally:
        words.shop.start("delivery")
    posting.join()
    words.quiet()
    assert (words.money(ada), words.stock(chair)) == ((5_000, 0, 0), (2, 0, 0))


@pytest.mark.whole(shop="real", service=("product", "user", "delivery", "notification"))
@pytest.mark.whole(shop="real", words=("default", "fanout", "direct", "saga"))
@pytest.mark.parametrize("service", ["product", "user", "payment", "delivery", "notification"])
def test_a_service_that_was_down_catches_up(words: Words, service: str) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    words.shop.stop(service)
    try:
        order_id, posting = words.order_meanwhile(ada, {chair: 1}, key_for(ada))
    finally:
        words.shop.start(service)
    posting.join()
    assert words.settled(order_id)["status"] == "SUCCESS"
    words.quiet()
    assert words.money(ada) == (4_000, 0, 1_000)


@pytest.mark.whole(shop="real", words=("default", "fanout", "direct"))
def test_a_crash_in_the_middle_loses_nothing(words: Words) -> None:
    ada, chair = words.customer(50_000), words.goods(price=1_000, quantity=20)
    placed = []
    for service in ("order", "product", "user", "payment", "delivery", "notification"):
        order_id, posting = words.order_meanwhile(ada, {chair: 1}, key_for(ada))
        words.shop.crash(service)
        words.shop.start(service)
        placed.append((order_id, posting))
    for order_id, posting in placed:
        posting.join()
        assert words.settled(order_id)["status"] == "SUCCESS"
    words.quiet()
    assert words.money(ada) == (44_000, 0, 6_000)


class Dying:
    """Something whose process dies in the middle of it, once; when there is nothing to do, it lives on."""

    def __init__(self, real: Any) -> None:
        self.real, self.died = real, False

    def __call__(self, *arguments: Any) -> Any:
        if self.died or not any(arguments):
            return self.real(*arguments)
        self.died = True
        raise ConnectionLost("the process dies here")


@pytest.mark.whole(shop="real", words=("default", "fanout", "direct", "saga"))
def test_a_death_before_the_commit_loses_nothing(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    monkeypatch.setattr(users, "hold", dying := Dying(users.hold))
    assert words.settled(words.order(ada, {chair: 1}))["status"] == "SUCCESS"
    words.quiet()
    assert dying.died
    assert words.money(ada) == (4_000, 0, 1_000)


@pytest.mark.whole(words=("default", "fanout", "direct", "saga"))
def test_a_death_after_the_commit_leaves_the_rest_to_the_relay(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, chair = words.customer(5_000), words.goods(price=1_000, quantity=2)
    voice = words.shop.service("user").voice
    monkeypatch.setattr(voice, "say", dying := Dying(voice.say))
    assert words.settled(words.order(ada, {chair: 1}))["status"] == "SUCCESS"
    words.quiet()
    assert dying.died
    assert words.money(ada) == (4_000, 0, 1_000)


@pytest.mark.whole(words=("default", "fanout", "direct", "saga"))
def test_switching_the_mode_strands_nothing(words: Words) -> None:
    """Orders of every mode are in flight at once, and each goes on in its own."""
    ada, chair = words.customer(50_000), words.goods(price=1_000, quantity=20)
    words.shop.stop("user")
    try:
        started = [
            Words(words.shop, mode).order_meanwhile(ada, {chair: 1}, key_for(ada))
            for mode in ("default", "fanout", "direct", "topic", "saga", words.mode)
        ]
    finally:
        words.shop.start("user")
    for order_id, posting in started:
        posting.join()
        assert words.settled(order_id)["status"] == "SUCCESS"
    words.quiet()

"""What can happen to a question, an answer, the asker and the asked: each schedule, at each step, by name.

A time-out means unknown, never failed; the relay asks again until an answer is handled; an answer is stored with the
effect; a step that is undone before it was done leaves a tombstone, and the late request is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from delivery import crud as deliveries
from lab.local import LocalShop
from patterns.envelope import Said
from patterns.errors import ConnectionLost
from patterns.voice import Voice
from payment import crud as payments
from product import crud as products
from tests.flows.words import Words, key_for, until
from user import crud as users

pytestmark = pytest.mark.whole(shop="real", service=("user", "payment", "delivery"))  # the broker's part is the same

RPC_WAIT_SECONDS = 0.3

STEPS: dict[str, tuple[str, str, Any, str]] = {  # service: (the question, the answer, its crud and verb)
    "product": ("OrderPlaced", "StockReserved", products, "reserve"),
    "user": ("StockReserved", "FundsHeld", users, "hold"),
    "payment": ("FundsHeld", "PaymentTaken", payments, "take"),
    "delivery": ("PaymentTaken", "DeliveryScheduled", deliveries, "schedule"),
}


@pytest.fixture
def words(shop: LocalShop) -> Words:
    return Words(shop, "rpc")


@pytest.fixture(params=STEPS)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Losing:
    """A voice that loses messages of one type, so many times."""

    def __init__(self, voice: Voice, kind: str, times: float, *, replies: bool) -> None:
        self.say_for_real, self.kind, self.times, self.replies, self.lost = voice.say, kind, times, replies, 0

    def __call__(self, said: Sequence[Said]) -> None:
        self.say_for_real([one for one in said if not self.loses(one)])

    def loses(self, one: Said) -> bool:
        aimed_at = one.type == self.kind and (one.is_reply if self.replies else one.awaits_answer)
        if aimed_at and self.lost < self.times:
            self.lost += 1
            return True
        return False


class Once:
    """Something that fails the first time and works from then on."""

    def __init__(self, real: Any, *, works_first: bool = False) -> None:
        self.real, self.works_first, self.failed = real, works_first, False

    def __call__(self, *arguments: Any) -> Any:
        if self.failed:
            return self.real(*arguments)
        self.failed = True
        raise ConnectionLost("the process dies here")


def succeeds(words: Words, ada: int, chair: int, order_id: Any) -> None:
    assert words.settled(order_id)["status"] == "SUCCESS"
    words.quiet()
    assert (words.money(ada), words.stock(chair)) == ((4_000, 0, 1_000), (4, 0, 1))


def customer_and_goods(words: Words) -> tuple[int, int]:
    return words.customer(5_000), words.goods(1_000, 5)


def test_the_request_is_lost(words: Words, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, chair = customer_and_goods(words)
    voice = words.shop.service("order").voice
    losing = Losing(voice, STEPS[service][0], 1, replies=False)
    monkeypatch.setattr(voice, "say", losing)
    succeeds(words, ada, chair, words.order(ada, {chair: 1}))
    assert losing.lost == 1


def test_the_reply_is_lost(words: Words, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, chair = customer_and_goods(words)
    voice = words.shop.service(service).voice
    losing = Losing(voice, STEPS[service][1], 1, replies=True)
    monkeypatch.setattr(voice, "say", losing)
    succeeds(words, ada, chair, words.order(ada, {chair: 1}))
    assert losing.lost == 1


def test_the_reply_comes_after_the_time_out(words: Words, service: str) -> None:
    ada, chair = customer_and_goods(words)
    words.shop.stop(service)
    try:
        answer = words.post({"user_id": ada, "product_id": chair, "quantity": 1}, key_for(ada))
        assert (answer.status_code, answer.json()["status"]) == (202, "PROCESSING")
    finally:
        words.shop.start(service)
    succeeds(words, ada, chair, answer.json()["id"])


def test_the_server_dies_before_its_commit(words: Words, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, chair = customer_and_goods(words)
    _, _, crud, verb = STEPS[service]
    dying = Once(getattr(crud, verb))
    monkeypatch.setattr(crud, verb, dying)
    succeeds(words, ada, chair, words.order(ada, {chair: 1}))
    assert dying.failed


def test_the_server_dies_after_its_commit(words: Words, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, chair = customer_and_goods(words)
    voice = words.shop.service(service).voice
    dying = Once(voice.say)
    monkeypatch.setattr(voice, "say", dying)
    succeeds(words, ada, chair, words.order(ada, {chair: 1}))
    assert dying.failed


def test_the_asker_dies(words: Words, service: str) -> None:
    ada, chair = customer_and_goods(words)
    words.shop.stop(service)
    try:
        order_id, posting = words.order_meanwhile(ada, {chair: 1}, key_for(ada))
        words.shop.crash("order")
        words.shop.start("order")
    finally:
        words.shop.start(service)
    posting.join()
    succeeds(words, ada, chair, order_id)


def test_the_request_comes_twice(words: Words, service: str) -> None:
    ada, chair = customer_and_goods(words)
    order_id = words.order(ada, {chair: 1})
    assert words.settled(order_id)["status"] == "SUCCESS"
    question = STEPS[service][0]
    requests = [one for _, one in words.said(order_id) if one.awaits_answer and one.type == question]
    assert len(requests) == 1
    words.shop.service("order").voice.say(requests * 3)
    succeeds(words, ada, chair, order_id)


def test_the_cancel_overtakes_the_request(words: Words, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is held back until everything is undone; then it arrives, and is refused."""
    ada, chair = customer_and_goods(words)
    voice = words.shop.service("order").voice
    question = STEPS[service][0]
    with monkeypatch.context() as holding:
        losing = Losing(voice, question, float("inf"), replies=False)
        holding.setattr(voice, "say", losing)
        order_id = words.order(ada, {chair: 1})
        until(lambda: losing.lost, "the request is held back")
        assert words.cancel(order_id).json()["status"] == "FAILED"
        until(lambda: words.look(order_id)["undone_at"], "everything is undone")
        assert voids(words, order_id, service)
    words.quiet()  # the relay asked again, and this time the request arrived
    assert voids(words, order_id, service)
    assert (words.money(ada), words.stock(chair)) == ((5_000, 0, 0), (5, 0, 0))


def voids(words: Words, order_id: Any, service: str) -> bool:
    """Whether the step of this service, and all after it, are tombstones."""
    from lab.books import open_books

    books = open_books()
    steps: Iterable[Any] = (books.reservations, books.holds, books.payments, books.deliveries)
    states = [rows[order_id].state if order_id in rows else "-" for rows in steps]
    return all(state == "VOID" for state in states[list(STEPS).index(service):])

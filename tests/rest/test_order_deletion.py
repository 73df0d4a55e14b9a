"""DELETE /orders/{id} hides an order that is done with; nothing that is under way, nor any book, notices."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from patterns.amqp import DIRECT_REPLY_TO, Channel
from patterns.shop import order_id_for
from patterns.transport import transport
from tests.flows.test_front_doors import say
from tests.flows.words import Words, key_for, until

pytestmark = pytest.mark.whole(shop="real")


def delete(words: Words, order_id: object, prefix: str = "") -> int:
    return words.shop.http("order").delete(f"{prefix}/orders/{order_id}").status_code


@pytest.fixture
def channel(words: Words) -> Iterator[Channel]:
    connection = transport().connect("test.client")
    opened = connection.channel()
    opened.consume(DIRECT_REPLY_TO, auto_ack=True)
    yield opened
    connection.close()


@pytest.mark.whole(shop="real", prefix="/api/v1")
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("paid", [True, False])
def test_what_is_deleted_is_gone_and_the_books_stay(words: Words, prefix: str, paid: bool) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    key = key_for(ada, paid=paid)
    order_id = words.order(ada, {chair: 1}, key, mode="saga")
    words.settled(order_id)
    words.quiet()
    books = (words.money(ada), words.stock(chair))
    answer = words.shop.http("order").delete(f"{prefix}/orders/{order_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    http = words.shop.http("order")
    for path in ("", "/history"):
        assert http.get(f"{prefix}/orders/{order_id}{path}").status_code == 410
    for path in (f"/sagas/{order_id}", f"/sagas/order/{order_id}"):
        assert http.get(path).status_code == 410
    assert words.cancel(order_id).status_code == 410
    assert delete(words, order_id, prefix) == 410
    assert http.get(f"{prefix}/orders?user_id={ada}").json() == []
    assert str(order_id) not in {saga["id"] for saga in http.get("/sagas").json()}
    again = words.post({"user_id": ada, "product_id": chair, "quantity": 1, "mode": "saga"}, key)
    assert (again.status_code, again.json()["title"]) == (410, "Gone")
    words.quiet()
    assert (words.money(ada), words.stock(chair)) == books


def test_what_never_was_cannot_be_deleted(words: Words) -> None:
    assert delete(words, uuid4()) == 404
    for nonsense in ("1", "%00", "x" * 36, "00000000-0000-0000-0000-00000000000g"):
        assert delete(words, nonsense) == 422


@pytest.mark.parametrize("mode", ["topic", "saga", "rpc"])
def test_an_order_under_way_or_not_undone_yet_is_not_deleted(words: Words, mode: str) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    words.shop.stop("payment")
    try:
        answer = words.shop.http("order").post(
            "/orders", json={"user_id": ada, "product_id": chair, "quantity": 1, "mode": mode}, headers={"Prefer": "wait=0"})
        order_id = UUID(answer.json()["id"])
        until(lambda: words.money(ada)[1] == 1_000, "the money is held")
        assert delete(words, order_id) == 409
        assert words.look(order_id)["status"] == "PROCESSING"
        assert words.cancel(order_id).json()["status"] == "FAILED"
        refused = words.shop.http("order").delete(f"/orders/{order_id}")  # the refund waits for payment
        assert refused.status_code == 409
        assert "undone" in refused.json()["detail"]
        assert words.look(order_id)["undone_at"] is None
    finally:
        words.shop.start("payment")
    until(lambda: words.look(order_id)["undone_at"], "all is undone")
    assert delete(words, order_id) == 204
    words.quiet()
    assert words.money(ada) == (10_000, 0, 0)


@pytest.mark.parametrize(("door", "kind"), [
    ("order.create", "PlaceOrder"), ("order_create", "PlaceOrder"), ("order_status_update", "CancelOrder"),
])
def test_a_message_about_a_deleted_order_is_parked_and_says_why(
    words: Words, channel: Channel, door: str, kind: str
) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    key = key_for(ada)
    order_id = words.order(ada, {chair: 1}, key)
    words.settled(order_id)
    assert delete(words, order_id) == 204
    order = {"user_id": ada, "items": [{"product_id": chair, "quantity": 1}], "mode": "topic"}
    body = order if kind == "PlaceOrder" else {"order_id": str(order_id)}
    assert order_id == order_id_for(ada, key)
    say(channel, door, kind, body, key if kind == "PlaceOrder" else str(uuid4()), reply_to=DIRECT_REPLY_TO)
    parked = until(lambda: channel.get("order.parked", auto_ack=True), "it is parked")
    assert f"order {order_id} is deleted" in parked.properties.headers["parked_because"]
    assert delete(words, order_id) == 410
    words.quiet()
    assert words.money(ada) == (9_000, 0, 1_000)

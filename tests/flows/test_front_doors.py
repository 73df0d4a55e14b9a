"""Clients who send messages instead of HTTP requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from lab.local import LocalShop
from patterns.amqp import DIRECT_REPLY_TO, Channel, Delivery, Outgoing, Properties, Receipt
from patterns.shop import order_id_for
from patterns.transport import transport
from tests.flows.words import Words, key_for, until


@pytest.fixture
def channel(shop: LocalShop) -> Iterator[Channel]:
    connection = transport().connect("test.client")
    opened = connection.channel()
    opened.consume(DIRECT_REPLY_TO, auto_ack=True)
    yield opened
    connection.close()


def say(channel: Channel, queue: str, kind: str, body: Any, message_id: str | None, **more: Any) -> None:
    properties = Properties(message_id=message_id, type=kind, **more)
    [receipt] = channel.publish([Outgoing("", queue, json.dumps(body).encode(), properties)])
    assert receipt is Receipt.CONFIRMED


def ask(channel: Channel, queue: str, kind: str, body: Any, message_id: str) -> dict[str, Any]:
    say(channel, queue, kind, body, message_id, reply_to=DIRECT_REPLY_TO)
    [answer] = channel.take(1, 30)
    assert isinstance(answer, Delivery)
    assert (answer.properties.type, answer.properties.correlation_id) == ("OrderStatus", message_id)
    return dict(json.loads(answer.body))


@pytest.fixture
def words(shop: LocalShop) -> Words:
    return Words(shop, "topic")


def test_an_order_comes_as_a_message_and_travels_in_the_doors_mode(words: Words, channel: Channel) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    key = key_for(ada)
    body = {"customer_id": ada, "items": [{"product_id": chair, "quantity": 2}]}
    for _ in range(2):  # the same message id is the same order
        say(channel, "order.create", "PlaceOrder", body, key)
    order_id = order_id_for(ada, key)
    until(lambda: words.shop.http("order").get(f"/orders/{order_id}").status_code == 200, "it is accepted")
    order = words.settled(order_id)
    words.quiet()
    assert (order["status"], order["mode"]) == ("SUCCESS", "default")
    assert words.money(ada) == (8_000, 0, 2_000)


def test_an_order_as_a_message_may_choose_its_mode(words: Words, channel: Channel) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    key = key_for(ada)
    say(channel, "order.create", "PlaceOrder", {"user_id": ada, "product_id": chair, "quantity": 1, "mode": "saga"}, key)
    order_id = order_id_for(ada, key)
    until(lambda: words.shop.http("order").get(f"/orders/{order_id}").status_code == 200, "it is accepted")
    assert words.settled(order_id)["mode"] == "saga"
    words.quiet()


def test_the_rpc_door_answers_at_once_and_again_with_the_status_now(words: Words, channel: Channel) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    key = key_for(ada)
    body = {"user_id": ada, "product_id": chair, "quantity": 1}
    first = ask(channel, "order_create", "PlaceOrder", body, key)
    assert first["status"] in ("PROCESSING", "SUCCESS")
    assert UUID(first["order_id"]) == order_id_for(ada, key)
    assert words.settled(order_id_for(ada, key))["mode"] == "rpc"
    assert ask(channel, "order_create", "PlaceOrder", body, key)["status"] == "SUCCESS"
    words.quiet()
    assert words.money(ada) == (9_000, 0, 1_000)


def test_an_order_is_cancelled_by_a_message(words: Words, channel: Channel) -> None:
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    words.shop.stop("payment")
    try:
        order_id = words.order(ada, {chair: 1})
        until(lambda: words.money(ada)[1] == 1_000, "the money is held")
        answer = ask(channel, "order_status_update", "CancelOrder", {"order_id": str(order_id)}, str(uuid4()))
        assert answer["status"] == "FAILED"
    finally:
        words.shop.start("payment")
    words.quiet()
    assert words.look(order_id)["mode"] == "topic"
    assert words.money(ada) == (10_000, 0, 0)


GOOD = {"user_id": 1, "product_id": 1, "quantity": 1}
ORDERED = {"order_id": str(uuid4()), "user_id": 1, "lines": [{"product_id": 1, "quantity": 1}]}

HOSTILE: dict[str, tuple[str, Outgoing, str]] = {
    "no message id": ("order", Outgoing("", "order.create", json.dumps(GOOD).encode(), Properties(type="PlaceOrder")),
                      "no message_id"),
    "not JSON": ("product", Outgoing("", "product.reserve", b"{nonsense", Properties(message_id="m", type="OrderPlaced")),
                 "not a readable OrderPlaced"),
    "not even text": ("product", Outgoing("", "product.reserve", b"\xff\x00\xfe", Properties(
        message_id="m", type="OrderPlaced")), "not a readable OrderPlaced"),
    "no type": ("product", Outgoing("", "product.reserve", b"{}", Properties(message_id="m")), "no type"),
    "an unknown type": ("product", Outgoing("", "product.reserve", b"{}", Properties(message_id="m", type="Surprise")),
                        "not understood"),
    "a type for another queue": ("product", Outgoing("", "product.sell", json.dumps(ORDERED).encode(),
                                                     Properties(message_id="m", type="OrderPlaced")), "not understood"),
    "another content type": ("product", Outgoing("", "product.reserve", b"{}", Properties(
        message_id="m", type="OrderPlaced", content_type="application/x-pickle")), "content type"),
    "a newer schema": ("product", Outgoing("", "product.reserve", json.dumps(ORDERED).encode(), Properties(
        message_id="m", type="OrderPlaced", headers={"schema_version": "2.0"})), "schema version"),
    "too large": ("product", Outgoing("", "product.reserve", b" " * (64 * 1024 + 1), Properties(
        message_id="m", type="OrderPlaced")), "bytes; at most"),
    "a foreign reply queue": ("product", Outgoing("", "product_stock_update", json.dumps(ORDERED).encode(), Properties(
        message_id="m", type="OrderPlaced", reply_to="product.reserve")), "is no reply queue"),
    "a huge quantity": ("order", Outgoing("", "order.create", json.dumps({**GOOD, "quantity": 10**30}).encode(), Properties(
        message_id="m", type="PlaceOrder")), "not a readable PlaceOrder"),
    "deep nesting": ("order", Outgoing("", "order.create", b"[" * 10_000, Properties(message_id="m", type="PlaceOrder")),
                     "not a readable PlaceOrder"),
    "a key twice": ("order", Outgoing(
        "", "order.create", b'{"user_id":1,"product_id":1,"quantity":1,"quantity":9}',
        Properties(message_id="m", type="PlaceOrder")), "names 'quantity' twice"),
    "an order that does not exist": ("order", Outgoing("", "order_status_update", json.dumps(
        {"order_id": str(uuid4())}).encode(), Properties(message_id="m", type="CancelOrder")), "does not exist"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_handled_is_parked_with_its_reason(words: Words, channel: Channel, kind: str) -> None:
    service, outgoing, reason = HOSTILE[kind]
    ada, chair = words.customer(10_000), words.goods(1_000, 5)
    if outgoing.properties.message_id:
        outgoing = replace(outgoing, properties=replace(outgoing.properties, message_id=str(uuid4())))
    [receipt] = channel.publish([outgoing])
    assert receipt is Receipt.CONFIRMED
    parked = until(lambda: channel.get(f"{service}.parked", auto_ack=True), "it is parked")
    assert reason in parked.properties.headers["parked_because"]
    assert parked.properties.headers["parked_from"] == outgoing.routing_key
    assert parked.body == outgoing.body
    assert words.settled(Words(words.shop, "default").order(ada, {chair: 1}))["status"] == "SUCCESS"
    words.quiet()
    assert (words.money(ada), words.stock(chair)) == ((9_000, 0, 1_000), (4, 0, 1))


def test_a_broadcast_of_an_unknown_type_is_none_of_our_business(words: Words, channel: Channel) -> None:
    ignored = words.shop.service("product").listener.counts["ignored"]
    surprise = Outgoing("EX_ORDER", "", b"{}", Properties(message_id=str(uuid4()), type="Surprise"))
    [receipt] = channel.publish([surprise])
    assert receipt is Receipt.CONFIRMED
    until(lambda: words.shop.service("product").listener.counts["ignored"] > ignored, "it is acknowledged and counted")
    words.quiet()
    assert channel.get("product.parked") is None

"""Whoever sees a request also sees where its answer goes.  What they write there harms no order and keeps nobody waiting
for less than the true answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from lab.local import LocalShop
from patterns.amqp import Channel, Delivery
from patterns.settings import settings
from patterns.transport import transport
from tests.flows.siege import fields_of
from tests.flows.words import Words, key_for, until
from tests.messages import LANGUAGE
from tests.strangers import Client, Field, Letter, Visitor

RPC_WAIT_SECONDS = 60


@pytest.fixture
def words(shop: LocalShop) -> Words:
    return Words(shop, "rpc")


@pytest.fixture
def channel(shop: LocalShop) -> Iterator[Channel]:
    connection = transport().connect("test.eavesdropper")
    yield connection.channel()
    connection.close()


@pytest.fixture
def stranger(shop: LocalShop) -> Iterator[Client | Visitor]:
    url = settings().rabbitmq_url
    stranger: Client | Visitor = Client(url) if url else Visitor(transport())
    yield stranger
    stranger.close()


def lies(request: Delivery) -> list[Letter]:
    """What a stranger answers; the last of them can be read, and is about another order."""
    asked = request.properties
    truth = fields_of(LANGUAGE["StockReserved"], uuid4()) | {"order_id": json.loads(request.body)["order_id"]}

    def lie(body: Any, kind: bytes | None = b"StockReserved", **more: Any) -> Letter:
        given: dict[str, Any] = {"message_id": str(uuid4()).encode(), "correlation_id": (asked.message_id or "").encode()}
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Letter(body, type=kind, key=asked.reply_to or "", mandatory=False, **{**given, **more})

    return [
        lie(b"\xff\0"), lie(truth, None), lie(truth, b"Surprise"), lie(truth, b"OrderStatus"), lie(truth, message_id=None),
        lie(truth, content_type=b"text/plain"), lie({**truth, "amount_cents": 10**30}), lie(b"x" * 2**20),
        lie(truth, headers=((b"order_id", Field("S", b"another")),)), lie(truth, headers=((b"schema_version", Field("V")),)),
        lie({**truth, "order_id": str(uuid4())}, b"StockReserved"),
    ]


def test_lies_are_dropped_and_the_true_answer_is_waited_for(
    words: Words, channel: Channel, stranger: Client | Visitor
) -> None:
    ada, chair = words.customer(5_000), words.goods(1_000, 5)
    dropped = words.shop.service("order").listener.counts["dropped"]
    answers: list[Any] = []
    words.shop.stop("product")
    try:
        body = {"user_id": ada, "items": [{"product_id": chair, "quantity": 1}]}
        asking = threading.Thread(target=lambda: answers.append(words.post(body, key_for(ada))))
        asking.start()
        request = until(lambda: channel.get("product_stock_update"), "the request is there")
        told = lies(request)
        stranger.send(*told)
        until(lambda: words.shop.service("order").listener.counts["dropped"] == dropped + len(told) - 1, "lies are dropped")
        channel.nack(request.tag, requeue=True)
    finally:
        words.shop.start("product")
    asking.join()
    assert (answers[0].status_code, answers[0].json()["status"]) == (201, "SUCCESS")
    assert words.shop.http("order").get("/readyz").status_code == 200
    words.quiet()
    assert (words.money(ada), words.stock(chair)) == ((4_000, 0, 1_000), (4, 0, 1))

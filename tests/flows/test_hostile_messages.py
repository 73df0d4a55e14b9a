"""Strangers write to our queues.  Whatever they write: it is parked with its reason, or ignored where the rule says so;
nothing changes in any database, the next good message is handled, and the service stays ready."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from pika.exceptions import AMQPError

from lab.local import LocalShop
from patterns.settings import settings
from tests.flows.siege import TARGETS, Siege, Target, again, journals, letter
from tests.flows.words import until
from tests.strangers import Client, Field, Letter, plain

RPC_WAIT_SECONDS = 0.5


@pytest.fixture(scope="module")
def siege(shop: LocalShop) -> Iterator[Siege]:
    siege = Siege(shop)
    siege.prime()
    yield siege
    siege.close()


QUEUES = ("product.reserve", "product_stock_update", "product.fanout", "user.topic", "delivery.saga", "notification.direct",
          "order.create", "order_create", "order_status_update", "order.update", "payment.saga")
"""One of each kind, and the front doors; the fuzzer (test_message_fuzzer.py) goes to all."""

SOME = [TARGETS[queue] for queue in QUEUES]


def survive(siege: Siege, letters: Iterable[tuple[Target, Letter, str | None]]) -> None:
    """Each bad letter is parked with its reason (None: ignored and counted), and the shop is as it was."""
    sent = list(letters)
    books, lines = siege.books(), journals()
    before = {target.service: siege.counts(target) for target, _, _ in sent}
    expected = {(target.queue, bad.body): reason for target, bad, reason in sent if reason is not None}
    ignored = Counter(target.service for target, _, reason in sent if reason is None)
    good = Counter(target.service for target, _, _ in sent)
    siege.stranger.send(*(each for target, bad, _ in sent for each in (bad, siege.good(target))))
    for _ in range(len(expected)):
        parked = siege.parked()
        headers = parked.properties.headers
        reason = expected.pop((headers["parked_from"], parked.body))
        assert reason in headers["parked_because"], headers["parked_from"]
        assert parked.queue == f"{TARGETS[headers['parked_from']].service}.parked"
        assert headers["parked_as"] == "unreadable"
    for service, old in before.items():
        now = siege.shop.service(service).listener.counts
        until(lambda now=now, old=old, more=good[service]: now["handled"] >= old.get("handled", 0) + more,
              "the next good messages are handled")
        assert now["ignored"] == old.get("ignored", 0) + ignored[service]
    assert not siege.parked_now()
    assert (siege.books(), journals()) == (books, lines)
    assert siege.ready()


def survives(siege: Siege, target: Target, bad: Letter, reason: str | None) -> None:
    """The same for one letter."""
    survive(siege, [(target, bad, reason)])


def a_good_one(target: Target) -> Letter:
    return letter(target, next(iter(target.types)), uuid4())


def changed(**changes: Any) -> Callable[[Target], Letter]:
    return lambda target: again(a_good_one(target), **changes)


def with_headers(**headers: Field) -> Callable[[Target], Letter]:
    fields = tuple((name.encode(), value) for name, value in headers.items())
    return lambda target: again(a_good_one(target), headers=fields)


def with_body(change: Callable[[bytes], bytes]) -> Callable[[Target], Letter]:
    return lambda target: again(known := a_good_one(target), body=change(known.body))


NESTED = b"[" * 10_000 + b"]" * 10_000

PARKED: dict[str, tuple[Callable[[Target], Letter], str]] = {
    "no message id": (changed(message_id=None), "no message_id"),
    "a message id that is not UTF-8": (changed(message_id=b"\xff" * 255), "not plain text"),
    "a message id with NUL": (changed(message_id=b"a\0b"), "not plain text"),
    "no type": (changed(type=None), "no type"),
    "no content type": (changed(content_type=None), "content type None"),
    "a pickle, and says so": (changed(content_type=b"application/x-python-serialize"), "content type"),
    "64 KiB and a byte": (with_body(lambda body: body + b" " * (65_537 - len(body))), "65537 bytes; at most"),
    "1 MiB": (with_body(lambda _: b"\xff\x00" * 524_288), "1048576 bytes; at most"),
    "another schema": (with_headers(schema_version=Field("S", b"2.0")), "schema version"),
    "a schema of another kind": (with_headers(schema_version=Field("A", (Field("d", 1.0),))), "schema version"),
    "answers to a queue of ours": (changed(reply_to=b"order.create"), "is no reply queue"),
    "answers to another's queue": (changed(reply_to=b"rpc.reply.order.1"), "is no reply queue"),
    "random bytes": (with_body(lambda _: bytes(range(256))), "not a readable"),
    "deep nesting": (with_body(lambda _: NESTED), "not a readable"),
    "deep nesting further in": (with_body(lambda body: body[:-1] + b', "x": ' + NESTED + b"}"), "not a readable"),
    "5,000 digits": (with_body(lambda body: body.replace(b"}", b', "x": ' + b"9" * 5_000 + b"}", 1)), "not a readable"),
    "a key twice": (with_body(lambda body: body[:-1] + b"," + body[1:]), "twice"),
    "NaN": (with_body(lambda body: body[:-1] + b', "x": NaN}'), "not a readable"),
    "half a surrogate pair": (with_body(lambda body: body[:-1] + rb', "reason": "\ud800"}'), "not a readable"),
    "another order in the header": (with_headers(order_id=Field("S", str(uuid4()).encode())), "the header says order"),
}


@pytest.mark.parametrize("kind", PARKED)
def test_what_cannot_be_read_is_parked_with_its_reason(siege: Siege, kind: str) -> None:
    make, reason = PARKED[kind]
    survive(siege, [(target, make(target), reason) for target in SOME])


def test_a_type_nobody_knows_is_parked_at_a_command_queue_and_ignored_on_a_broadcast(siege: Siege) -> None:
    odd = {"type": b"Surprise\n12:00:00 forged log line", "message_id": None}
    survive(siege, [
        (target, again(a_good_one(target), **odd), None if target.broadcast else f"is not understood at {target.queue}")
        for target in SOME
    ])


FIELDS: dict[str, Field] = {
    "true": Field("t", 5), "int8": Field("b", -1), "uint8": Field("B", 255), "uint16": Field("u", 65_535),
    "int16": Field("s", -2), "int32": Field("I", -1), "uint32": Field("i", 2**32 - 1), "int64": Field("l", -(2**63)),
    "another int64": Field("L", 2**63 - 1), "float": Field("f", 1.5), "double": Field("d", 1e300),
    "decimal": Field("D", (2, -5)), "endless decimal": Field("D", (255, 2**31 - 1)), "text": Field("S", b"x" * 1_000),
    "not UTF-8": Field("S", b"\xff\0"), "bytes": Field("x", b"\xff\0"), "time": Field("T", 5),
    "the end of time": Field("T", 2**64 - 1), "void": Field("V"), "array": Field("A", (Field("V"), Field("t", 1))),
    "table": Field("F", ((b"\xff" * 255, Field("F", ((b"", Field("d", -1.5)),))),)),
}


def nested(kind: str, depth: int) -> Field:
    """A table in a table in a table …, or likewise an array, encoded without recursion."""
    inner = Field("V").encoded()
    for _ in range(depth):
        content = b"\x01n" + inner if kind == "F" else inner
        inner = kind.encode() + len(content).to_bytes(4, "big") + content
    return Field("raw", inner)


LOADED: dict[str, tuple[tuple[bytes, Field], ...]] = {
    **{name: ((b"h", value),) for name, value in FIELDS.items()},
    "every kind in one": tuple((name.encode(), value) for name, value in FIELDS.items()),
    "a name of 255 bytes": ((b"n" * 255, Field("S", b"x")), (b"\xff" * 255, Field("S", b"y")), (b"", Field("V"))),
    "100 KiB": tuple((b"n%d" % number, Field("S", b"v" * 100)) for number in range(900)),
    "one of 100 KiB": ((b"n", Field("S", b"v" * 100_000)),),
    "126 KiB": tuple((b"n%d" % number, Field("x", b"v" * 100)) for number in range(1_150)),
    "tables 5,000 deep": ((b"h", nested("F", 5_000)),),
    "arrays 5,000 deep": ((b"h", nested("A", 5_000)),),
}


@pytest.mark.parametrize("kind", LOADED)
def test_headers_of_every_kind_stop_nobody(siege: Siege, kind: str) -> None:
    if isinstance(siege.stranger, Client) or "deep" not in kind:
        target = TARGETS["product_stock_update"]
        survives(siege, target, again(a_good_one(target), body=b"no", headers=LOADED[kind]), "not a readable")
        handled = siege.counts(target)["handled"]
        siege.stranger.send(again(siege.good(target), headers=LOADED[kind]))
        until(lambda: siege.counts(target)["handled"] > handled, "a good message is handled, whatever its headers")


def test_odd_properties_stop_nobody(siege: Siege) -> None:
    odd: dict[str, Any] = {
        "timestamp": 2**64 - 1, "priority": 255, "correlation_id": b"\0" * 255, "app_id": b"\xff\0" * 127,
        "content_encoding": b"gzip", "cluster_id": b"\xff" * 255, "reply_to": b"amq.rabbitmq.reply-to." + b"x" * 233,
        "headers": plain({"traceparent": "garbage", "deadline": -5, "attempt": 10**6, "replays": -1, "mode": "pigeon",
                          "causation_id": "x", "parked_from": "user.hold", "failures": "x"}),
    }
    survive(siege, [(target, again(a_good_one(target), body=b"no", **odd), "not a readable") for target in SOME])
    target = TARGETS["product_stock_update"]
    books, handled = siege.books(), siege.counts(target)["handled"]
    siege.stranger.send(again(siege.good(target), **odd), again(siege.good(target), persistent=False))
    until(lambda: siege.counts(target)["handled"] == handled + 2, "they are handled")
    assert siege.books() == books
    assert siege.ready()


def test_a_field_that_nobody_knows_yet_is_ignored(siege: Siege) -> None:
    target = TARGETS["product.reserve"]
    known = letter(target, "OrderPlaced", uuid4())
    handled = siege.counts(target)["handled"]
    siege.stranger.send(again(known, body=known.body[:-1] + b', "added_later": [{"by": null}]}'))
    until(lambda: siege.counts(target)["handled"] > handled, "it is handled")
    assert not siege.parked_now()


def test_a_forged_death_is_not_believed(siege: Siege) -> None:
    death = Field("F", ((b"queue", Field("S", b"user.hold")), (b"reason", Field("S", b"delivery_limit"))))
    for forged in (Field("A", (death,)), Field("S", b"x"), Field("A", (Field("S", b"x"),))):
        headers = ((b"x-death", forged), (b"x-delivery-count", Field("l", -5)))
        survive(siege, [
            (target, again(a_good_one(target), body=b"no", headers=headers), "not a readable") for target in SOME])


def test_the_dead_letter_queue_is_no_way_into_other_queues(siege: Siege) -> None:
    target = TARGETS["product.reserve"]
    for queue in (b"user.hold", b"product.parked", b"product.dead", b"no.such.queue"):
        death = Field("F", ((b"queue", Field("S", queue)), (b"reason", Field("S", b"delivery_limit"))))
        books = siege.books()
        siege.stranger.send(again(a_good_one(target), key="product.dead", headers=((b"x-death", Field("A", (death,))),)))
        parked = siege.parked().properties.headers
        assert (parked["parked_as"], parked["parked_from"]) == ("given up", "product.dead")
        assert siege.books() == books


def test_copies_obey_nobody(siege: Siege) -> None:
    """RabbitMQ sends what a CC or BCC header names there too: once, for its writer, and never again for our copies."""
    target, elsewhere = TARGETS["product.reserve"], f"elsewhere.{uuid4()}"
    siege.channel.declare_queue(elsewhere)
    keys = Field("A", (Field("S", elsewhere.encode()),))
    for name in (b"CC", b"BCC"):
        bad = again(a_good_one(target), body=b"no", headers=((name, keys),))
        survives(siege, target, bad, "not a readable")
        written = siege.channel.purge(elsewhere)
        assert written == (1 if isinstance(siege.stranger, Client) else 0)


def test_a_message_that_expired_is_parked_and_not_lost(siege: Siege) -> None:
    target = TARGETS["product.reserve"]
    siege.shop.stop("product")
    try:
        known = again(a_good_one(target), expiration=b"1")
        siege.stranger.send(known)
        until(lambda: siege.channel.declare_queue("product.dead", passive=True).messages, "the broker gives it up")
    finally:
        siege.shop.start("product")
    parked = siege.parked()
    assert parked.properties.headers["parked_because"] == "dead-lettered 1 times, at last because: expired"
    assert (parked.body, parked.properties.headers["parked_from"]) == (known.body, "product.reserve")


@pytest.mark.parametrize("queue", ["product.saga", "order.saga"])
def test_a_saga_key_that_lies_about_the_order_is_parked(siege: Siege, queue: str) -> None:
    target = TARGETS[queue]
    kind = "OrderPlaced" if queue == "product.saga" else "StockReserved"
    what = "command.product.reserve_stock" if queue == "product.saga" else "event.product.reserve_stock.success"
    bad = letter(target, kind, uuid4())
    for liar in (f"saga.{uuid4()}.{what}", f"saga.nobody.{what}"):
        survives(siege, target, again(bad, exchange="orderflow.saga", key=liar), "names another order")


@pytest.mark.parametrize("body", [b"no", b"{}"])
def test_a_bad_broadcast_is_parked_by_each_who_hears_it(siege: Siege, body: bytes) -> None:
    books = siege.books()
    bad = again(a_good_one(TARGETS["product.fanout"]), type=b"OrderPlaced", exchange="EX_ORDER", key="", body=body)
    siege.stranger.send(bad)
    parked = [siege.parked() for _ in range(2)]
    assert sorted(each.queue for each in parked) == ["notification.parked", "product.parked"]
    assert siege.books() == books
    assert siege.ready()


@pytest.mark.parametrize("key", [b"\xff\xfe", b"\xff" * 60, b"a\0b", b"\x1b[2J"],
                         ids=["not UTF-8", "long", "NUL", "escape"])
def test_a_routing_key_that_is_no_text_stops_nobody(siege: Siege, key: bytes) -> None:
    everybody = again(a_good_one(TARGETS["product.fanout"]), type=b"OrderPlaced", exchange="EX_ORDER", key=key)
    siege.stranger.send(again(everybody, body=b"no"))
    parked = [siege.parked() for _ in range(2)]
    assert sorted(each.queue for each in parked) == ["notification.parked", "product.parked"]
    assert {each.properties.headers["parked_as"] for each in parked} == {"unreadable"}
    liar = again(everybody, exchange="orderflow.saga", key=b"saga." + key + b".command.product.reserve_stock")
    survives(siege, TARGETS["product.saga"], liar, "names another order")
    handled = siege.counts(TARGETS["product.fanout"])["handled"]
    siege.stranger.send(again(siege.good(TARGETS["product.fanout"]), exchange="EX_ORDER", key=key))
    until(lambda: siege.counts(TARGETS["product.fanout"])["handled"] > handled, "a good one is handled, whatever its key")


def test_what_is_not_a_table_never_reaches_us(siege: Siege) -> None:
    """RabbitMQ ends the connection of whoever sends such headers; ours stay."""
    if not isinstance(siege.stranger, Client):
        return
    target = TARGETS["product.reserve"]
    for raw in (b"Q\0", b"S\xff\xff\xff\xff", b"d" + b"\xff" * 8):
        with pytest.raises(AMQPError):
            Client(settings().rabbitmq_url).send(again(a_good_one(target), headers=((b"h", Field("raw", raw)),)))
    survives(siege, target, again(a_good_one(target), body=b"no"), "not a readable")


def test_json_that_is_no_message_at_a_front_door_places_no_order(siege: Siege) -> None:
    for queue in ("order.create", "order_create"):
        for body in ({"user_id": 1}, {"user_id": 1, "product_id": 1, "quantity": 10**30}, {"order_id": str(uuid4())},
                     {"user_id": 1, "product_id": 1, "quantity": 1, "amount": "1e999999"}, [], "x", None, 5):
            bad = again(a_good_one(TARGETS[queue]), body=json.dumps(body).encode())
            survives(siege, TARGETS[queue], bad, "not a readable PlaceOrder")

"""What clients get wrong over HTTP gets a clear 4xx, never a 500, and changes nothing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from lab.local import LocalShop
from tests.flows.words import until

pytestmark = pytest.mark.whole(shop="real")

LINE = {"product_id": 1, "quantity": 1}
BAD_ORDERS: dict[str, Any] = {
    "nothing": {},
    "no lines": {"user_id": 1, "items": []},
    "zero": {"user_id": 1, "product_id": 1, "quantity": 0},
    "negative": {"user_id": 1, "product_id": 1, "quantity": -1},
    "huge": {"user_id": 1, "product_id": 1, "quantity": 10_001},
    "beyond 64 bits": {"user_id": 2**63, "product_id": 1, "quantity": 1},
    "a fraction": {"user_id": 1, "product_id": 1, "quantity": 1.5},
    "a boolean": {"user_id": True, "product_id": 1, "quantity": 1},
    "a customer that is a text": {"user_id": "1", "product_id": 1, "quantity": 1},
    "an unknown field": {"user_id": 1, "product_id": 1, "quantity": 1, "discount": 5},
    "an unknown field in a line": {"user_id": 1, "items": [{**LINE, "discount": 5}]},
    "an unknown mode": {"user_id": 1, "product_id": 1, "quantity": 1, "mode": "carrier pigeon"},
    "too many lines": {"user_id": 1, "items": [LINE] * 101},
    "too many of one product": {"user_id": 1, "items": [{"product_id": 1, "quantity": 9_999}] * 2},
    "a fraction of a cent": {"user_id": 1, "product_id": 1, "quantity": 1, "amount": "1.005"},
    "an amount that is no number": {"user_id": 1, "product_id": 1, "quantity": 1, "amount": "NaN"},
    "an endless amount": {"user_id": 1, "product_id": 1, "quantity": 1, "amount": "1e400"},
    "an amount below nothing": {"user_id": 1, "product_id": 1, "quantity": 1, "amount": -1},
    "an amount beyond all orders": {"user_id": 1, "product_id": 1, "quantity": 1, "amount_cents": 10**18 + 1},
    "an amount that is a boolean": {"user_id": 1, "product_id": 1, "quantity": 1, "amount": True},
    "an amount in other digits": {"user_id": 1, "product_id": 1, "quantity": 1, "amount": "٣"},
    "two amounts": {"user_id": 1, "product_id": 1, "quantity": 1, "amount": "1.00", "amount_cents": 100},
    "two customers": {"user_id": 1, "owner_id": 2, "product_id": 1, "quantity": 1},
    "no customer": {"product_id": 1, "quantity": 1},
    "a product and lines": {"user_id": 1, "product_id": 1, "items": [LINE]},
    "a quantity beside lines": {"user_id": 1, "quantity": 1, "items": [LINE]},
    "our own word for items": {"user_id": 1, "lines": [LINE]},
    "a quantity that is true": {"user_id": 1, "product_id": 1, "quantity": True},
    "a quantity beyond 64 bits": {"user_id": 1, "product_id": 1, "quantity": 2**64},
    "a quantity of 99 digits": {"user_id": 1, "product_id": 1, "quantity": int("9" * 99)},
    "a product below one": {"user_id": 1, "product_id": 0, "quantity": 1},
    "a product that is SQL": {"user_id": 1, "product_id": "1; DROP TABLE products; --", "quantity": 1},
    "a line that is none": {"user_id": 1, "items": [1]},
    "a line without a product": {"user_id": 1, "items": [{"quantity": 1}]},
    "lines that are none": {"user_id": 1, "items": {"product_id": 1, "quantity": 1}},
    "a mode with a NUL": {"user_id": 1, "product_id": 1, "quantity": 1, "mode": "rpc\0"},
    "a field with a NUL": {"user_id": 1, "product_id": 1, "quantity": 1, "\0": 1},
    "a status of its own": {"user_id": 1, "product_id": 1, "quantity": 1, "status": "SUCCESS"},
    "a list": [1, 2, 3],
    "null": None,
    "a number": 5,
    "a text": "order",
}

RAW = {
    "not JSON": b"{",
    "not UTF-8": b'{"user_id": "\xff"}',
    "deep nesting": b"[" * 20_000 + b"]" * 20_000,
    "a number of 5,000 digits": b'{"user_id": ' + b"9" * 5_000 + b', "product_id": 1, "quantity": 1}',
    "deep nesting in a field": b'{"user_id": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    "NaN": b'{"user_id": NaN, "product_id": 1, "quantity": 1}',
    "Infinity": b'{"user_id": 1, "product_id": 1, "quantity": 1, "amount": Infinity}',
    "1e400": b'{"user_id": 1, "product_id": 1, "quantity": 1, "amount": 1e400, "name": "x", "price_cents": 1e400}',
    "half a surrogate pair": rb'{"user_id": 1, "product_id": 1, "quantity": 1, "name": "\ud800", "price_cents": 1}',
    "half a surrogate pair as a key": rb'{"\udfff": 1}',
    "a key twice": b'{"user_id": 1, "user_id": 2, "product_id": 1, "quantity": 1}',
    "a key twice in a line": b'{"user_id": 1, "items": [{"product_id": 1, "quantity": 1, "quantity": 9}]}',
    "a name twice": b'{"name": "Ada", "name": "Bob", "price_cents": 1}',
    "UTF-16": '{"name": "Ada"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "Ada", "price_cents": 1}',
    "two bodies": b'{"name": "Ada"}{"name": "Bob"}',
    "nothing": b"",
}


def refused(answer: httpx.Response) -> bool:
    return 400 <= answer.status_code < 500 and bool(answer.json()["detail"])


def kept(shop: LocalShop) -> list[Any]:
    """The newest of everything there is to see."""
    lists = (("order", "/orders?limit=5"), ("user", "/users?limit=100"), ("product", "/products?limit=100"))
    return [shop.http(service).get(path).json() for service, path in lists]


@pytest.mark.parametrize("kind", BAD_ORDERS)
def test_an_order_that_makes_no_sense_is_refused_and_leaves_nothing(shop: LocalShop, kind: str) -> None:
    before = kept(shop)
    for path in ("/orders", "/api/v1/orders"):
        answer = shop.http("order").post(path, json=BAD_ORDERS[kind])
        assert refused(answer) and answer.status_code == 422, answer.text
    assert kept(shop) == before


@pytest.mark.parametrize("kind", RAW)
def test_a_body_that_is_none_is_refused_and_leaves_nothing(shop: LocalShop, kind: str) -> None:
    before = kept(shop)
    for service, path in (("order", "/orders"), ("user", "/users"), ("product", "/products")):
        answer = shop.http(service).post(path, content=RAW[kind], headers={"content-type": "application/json"})
        assert refused(answer) and answer.status_code in (400, 422), answer.text
    assert kept(shop) == before


@pytest.mark.parametrize("path", [
    "/orders/%00", "/orders/1", "/orders/" + "9" * 5_000, "/orders/%2e%2e", "/orders/not-a-uuid/history",
    "/orders/' OR 1=1 --", "/sagas/%ff", "/sagas/order/x", "/messages?order_id=%00", "/messages?order_id=x",
])
def test_an_orders_id_that_is_none_is_refused(shop: LocalShop, path: str) -> None:
    answer = shop.http("order").get(path)
    assert refused(answer) and answer.status_code in (404, 422), answer.text


@pytest.mark.parametrize("name", [
    "Robert'); DROP TABLE users;--", '"; SELECT 1', "%s %(x)s {0} $1 \\", "😀 é ß 漢字", "a\tb\nc",
])
def test_a_strange_name_is_kept_as_it_is(shop: LocalShop, name: str) -> None:
    user = shop.http("user").post("/users", json={"name": name}).json()["id"]
    assert shop.http("user").get(f"/users/{user}").json()["name"] == name


def test_the_valid_modes_are_named(shop: LocalShop) -> None:
    answer = shop.http("order").post("/orders", json=BAD_ORDERS["an unknown mode"])
    for mode in ("rpc", "default", "fanout", "direct", "topic", "saga"):
        assert f"'{mode}'" in answer.text


@pytest.mark.parametrize("name", ["", "   ", "a\0b", "x" * 201, 5, None, "\ud800"])
def test_a_name_nobody_can_read_is_refused(shop: LocalShop, name: Any) -> None:
    import json

    for service, path, more in (("user", "/users", {}), ("product", "/products", {"price_cents": 1})):
        content = json.dumps({"name": name, **more})
        answer = shop.http(service).post(path, content=content, headers={"content-type": "application/json"})
        assert refused(answer), answer.text


@pytest.mark.parametrize("path", [
    "/users/0", "/users/-1", "/users/9223372036854775808", "/users/one", "/users/" + "9" * 5_000, "/users?limit=101",
    "/users?after=-1", "/users/%00",
])
def test_an_id_that_is_none_is_refused(shop: LocalShop, path: str) -> None:
    answer = shop.http("user").get(path)
    assert refused(answer), answer.text


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1, 2**63, 1.5, True, "5"])
def test_a_deposit_that_makes_no_sense_is_refused(shop: LocalShop, amount: Any) -> None:
    user = shop.http("user").post("/users", json={"name": "Ada"}).json()["id"]
    assert refused(shop.http("user").post(f"/users/{user}/deposits", json={"amount_cents": amount}))
    assert shop.http("user").get(f"/users/{user}").json()["paid_in_cents"] == 0


def test_an_account_that_is_full_is_a_conflict_and_stays_as_it_is(shop: LocalShop) -> None:
    from lab.books import database_of
    from user.models import users

    user = shop.http("user").post("/users", json={"name": "Ada", "balance_cents": 1}).json()["id"]
    full = users.update().where(users.c.id == user).values(balance_cents=10**18, paid_in_cents=10**18)
    empty = users.update().where(users.c.id == user).values(balance_cents=1, paid_in_cents=1)
    database_of("user").transact(lambda session: session.execute(full))
    answer = shop.http("user").post(f"/users/{user}/deposits", json={"amount_cents": 1})
    assert answer.status_code == 409
    database_of("user").transact(lambda session: session.execute(empty))


def test_a_deposit_is_paid_in_once_for_each_key(shop: LocalShop) -> None:
    user = shop.http("user").post("/users", json={"name": "Ada"}).json()["id"]
    for key, paid_in in (("a", 5), ("a", 5), ("b", 10)):
        answer = shop.http("user").post(
            f"/users/{user}/deposits", json={"amount_cents": 5}, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["paid_in_cents"]) == (201, paid_in)


def test_what_does_not_exist_is_not_found(shop: LocalShop) -> None:
    for service, path, more in (("user", "/users/999999999", {}), ("product", "/products/999999999", {"price_cents": 1})):
        assert shop.http(service).get(path).status_code == 404
        assert shop.http(service).put(path, json={"name": "x", **more}).status_code == 404
    assert shop.http("user").post("/users/999999999/deposits", json={"amount_cents": 1}).status_code == 404
    assert shop.http("product").post("/products/999999999/restock", json={"quantity": 1}).status_code == 404


def test_every_service_is_ready(shop: LocalShop) -> None:
    for service in ("user", "product", "order", "payment", "delivery", "notification"):
        assert shop.http(service).get("/healthz").json() == {"status": "ok", "service": service}
        until(lambda name=service: shop.http(name).get("/readyz").status_code == 200, f"{service} is ready")

"""What breaks other services over HTTP: each trap in each field of each request is a clear 4xx, and no row changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lab.books import database_of
from lab.local import LocalShop
from patterns.shop import MAX_PRICE_CENTS, MAX_QUANTITY
from product.models import products
from tests.flows.words import Words
from user.models import deposits, users

JSON = {"content-type": "application/json"}

REQUESTS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "new user": ("user", "POST", "/users", {"name": "Ada", "balance_cents": 5}),
    "user change": ("user", "PUT", "/users/{user}", {"name": "Ada"}),
    "deposit": ("user", "POST", "/users/{user}/deposits", {"amount_cents": 5}),
    "new product": ("product", "POST", "/products", {"name": "Chair", "price_cents": 5, "quantity": 5}),
    "product change": ("product", "PUT", "/products/{product}", {"name": "Chair", "price_cents": 5}),
    "restock": ("product", "POST", "/products/{product}/restock", {"quantity": 5}),
}

NUMBERS = {
    "beyond 64 bits": "9223372036854775808", "below 64 bits": "-9223372036854775809", "one too many": str(10**12 + 1),
    "5,000 digits": "9" * 5_000, "NaN": "NaN", "Infinity": "Infinity", "minus Infinity": "-Infinity", "1e400": "1e400",
    "a fraction": "1.5", "a hair above one": "1.00000000000000000001", "true": "true", "false": "false", "null": "null",
    "a text": '"5"', "SQL": '"5; DROP TABLE users; --"', "a list": "[5]", "an object": '{"$gt": 0}', "below nothing": "-1",
}
NAMES = {
    "a NUL": r'"a\u0000b"', "half a surrogate pair": r'"\ud800"', "the other half": r'"\udc00x"', "empty": '""',
    "blanks": '"   "', "a wide blank": '"\u3000"', "invisible": '"\u200b\u2060"', "controls": r'"\u0001\u001f"',
    "201 characters": '"' + "x" * 201 + '"', "a number": "5", "true": "true", "null": "null", "a list": '["Ada"]',
}
ABOVE_NOTHING = ("deposit", "restock")

FIELDS = [
    (request, field, kind, written)
    for request, (_, _, _, body) in REQUESTS.items()
    for field, value in body.items()
    for kind, written in ((NAMES if isinstance(value, str) else NUMBERS)
                          | ({"nothing at all": "0"} if request in ABOVE_NOTHING else {})).items()
]

BODIES: dict[str, tuple[str, int]] = {
    "an unknown field": ('{%s, "discount": 5}', 422), "a field with a NUL": (r'{%s, "\u0000": 5}', 422),
    "a field of the answer": ('{%s, "id": 7}', 422), "a field twice": ("{%s, %s}", 400), "a list": ("[{%s}]", 422),
    "cut off": ("{%s", 400), "two": ("{%s}{%s}", 400), "nothing": ("", 422), "nothing in it": ("{}", 422),
    "10,000 deep": ('{%s, "more": ' + "[" * 10_000 + "]" * 10_000 + "}", 400),
}


@pytest.fixture(scope="module")
def ids(shop: LocalShop) -> dict[str, int]:
    words = Words(shop, "topic")
    return {"user": words.customer(5), "product": words.goods(5, 5)}


@pytest.fixture
def unchanged(ids: dict[str, int]) -> Iterator[None]:
    """Every row is after the test what it was before."""
    before = everything()
    yield
    assert everything() == before


def everything() -> list[list[Any]]:
    tables = (("user", users), ("user", deposits), ("product", products))
    return [
        database_of(service).read(lambda session, table: list(session.execute(table.select().order_by(table.c.id))), table)
        for service, table in tables
    ]


def ask(shop: LocalShop, ids: dict[str, int], request: str, content: Any, headers: Any = JSON) -> httpx.Response:
    service, method, path, _ = REQUESTS[request]
    return shop.http(service).request(method, path.format(**ids), content=content, headers=headers)


def is_refused(answer: httpx.Response, *statuses: int) -> bool:
    told = answer.headers["content-type"] == "application/problem+json" and bool(answer.json()["detail"])
    return told and answer.status_code in statuses


def members(body: dict[str, Any]) -> str:
    return json.dumps(body)[1:-1]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("request_", "field", "kind", "written"), FIELDS, ids=lambda one: one[:30])
def test_a_trap_in_a_field_is_refused(
    shop: LocalShop, ids: dict[str, int], request_: str, field: str, kind: str, written: str
) -> None:
    others = {name: value for name, value in REQUESTS[request_][3].items() if name != field}
    content = "{" + ", ".join(part for part in (members(others), f'"{field}": {written}') if part) + "}"
    answer = ask(shop, ids, request_, content.encode())
    assert is_refused(answer, 400, 422), (kind, answer.status_code, answer.text)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_a_trap_is_refused(shop: LocalShop, ids: dict[str, int], request_: str, kind: str) -> None:
    shape, status = BODIES[kind]
    answer = ask(shop, ids, request_, shape.replace("%s", members(REQUESTS[request_][3])).encode())
    assert is_refused(answer, status), answer.text


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("request_", REQUESTS)
def test_another_kind_of_body_or_too_much_of_it_is_refused(shop: LocalShop, ids: dict[str, int], request_: str) -> None:
    content = json.dumps(REQUESTS[request_][3]).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        assert is_refused(ask(shop, ids, request_, content, {"content-type": kind}), 415)
    padding = b" " * 2**16
    assert is_refused(ask(shop, ids, request_, padding + content), 413)
    assert is_refused(ask(shop, ids, request_, iter([padding, content])), 413)  # chunked: no length is announced


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("no_id", [
    "0", "-1", "9223372036854775808", "9" * 5_000, "%00", "1.5", "true", "NaN", "1e3", "one", "1%20OR%201=1", "%ff",
    "'%3B%20DROP%20TABLE%20users%3B--", "%F0%9F%98%80",
])
def test_an_id_that_is_a_trap_is_refused_everywhere(shop: LocalShop, no_id: str) -> None:
    for service, path in (("user", "/users/"), ("product", "/products/"), ("product", "/inventory/")):
        assert is_refused(shop.http(service).get(path + no_id), 404, 422)
    for service, method, path, body in REQUESTS.values():
        if "{" in path:
            answer = shop.http(service).request(method, path.format(user=no_id, product=no_id), json=body)
            assert is_refused(answer, 404, 422), answer.text
    assert is_refused(shop.http("user").delete(f"/users/{no_id}"), 404, 422)
    assert is_refused(shop.http("product").delete(f"/products/{no_id}"), 404, 422)


@pytest.mark.parametrize("service", ["payment", "delivery", "notification"])
def test_a_service_that_only_tells_takes_nothing(shop: LocalShop, service: str) -> None:
    [path] = {"payment": ["/payments"], "delivery": ["/deliveries"], "notification": ["/notifications"]}[service]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert is_refused(shop.http(service).request(method, path, json={"state": "TAKEN"}), 405)


def test_words_that_mean_something_to_sql_are_words(shop: LocalShop, ids: dict[str, int]) -> None:
    for name in ("Robert'); DROP TABLE users;--", '"; SELECT 1', "%s %(x)s {0} :name $1 \\", "😀 é 漢字", "a\tb"):
        change = {"name": name, "price_cents": 5}
        assert shop.http("product").put(f"/products/{ids['product']}", json=change).status_code == 200
        assert shop.http("product").get(f"/products/{ids['product']}").json()["name"] == name


def test_the_largest_quantity_at_the_largest_price_is_only_too_dear(shop: LocalShop) -> None:
    words = Words(shop, "topic")
    ada, gold = words.customer(10**12), [words.goods(MAX_PRICE_CENTS, MAX_QUANTITY) for _ in range(3)]
    order = words.settled(words.order(ada, dict.fromkeys(gold, MAX_QUANTITY)))
    assert (order["status"], order["reason"]) == ("FAILED", f"user {ada} has not enough money")
    words.quiet()
    assert words.money(ada) == (10**12, 0, 0) and words.stock(gold[0]) == (MAX_QUANTITY, 0, 0)

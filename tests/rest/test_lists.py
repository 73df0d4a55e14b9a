"""Lists, page by page: the newest first, all or some, each row once, at most 100 at a time; and what they list, singly."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lab.local import LocalShop
from tests.flows.words import Words, key_for

LISTS = {
    "/users": "user", "/products": "product", "/inventory": "product", "/reservations": "product",
    "/payments": "payment", "/deliveries": "delivery", "/notifications": "notification",
}
OF_ORDERS = ("/reservations", "/payments", "/deliveries")


@pytest.fixture(scope="module")
def history(shop: LocalShop) -> dict[str, Any]:
    """One customer's orders, in time: two that succeed, one the gateway declines, one the carrier refuses, one too dear."""
    words = Words(shop, "topic")
    ada, bob = words.customer(1_000), words.customer(1_000)
    chair, book = words.goods(10, 100), words.goods(5, 100)
    placed = []
    for fate in ({}, {}, {"paid": False}, {"delivered": False}):
        placed.append(words.order(ada, {chair: 1, book: 2}, key_for(ada, **fate)))
        words.settled(placed[-1])
    placed.append(words.order(ada, {chair: 90, book: 90}))
    words.settled(placed[-1])
    words.settled(words.order(bob, {chair: 1}))
    words.quiet()
    return {"ada": ada, "bob": bob, "chair": chair, "book": book, "orders": [str(order) for order in placed]}


def get(shop: LocalShop, path: str, **query: Any) -> httpx.Response:
    stem = "/" + path.removeprefix("/api/v1").split("/")[1].split("?")[0]
    return shop.http(LISTS[stem]).get(path, params=query or None)


def everything(shop: LocalShop, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    """All pages of a list, as its links lead."""
    answer = get(shop, path, **query)
    pages = []
    while True:
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        if "next" not in answer.links:
            return pages
        answer = get(shop, answer.links["next"]["url"])


@pytest.mark.parametrize("path", OF_ORDERS)
def test_what_became_of_orders_is_listed_the_newest_first(shop: LocalShop, history: dict[str, Any], path: str) -> None:
    """The dearest order was refused its money, so it has goods, but neither payment nor parcel; and so on backwards."""
    reached = {"/reservations": 5, "/payments": 4, "/deliveries": 3}[path]
    [listed] = everything(shop, path, user_id=history["ada"])
    known = [one for one in history["orders"] if get(shop, f"{path}/{one}").status_code == 200]
    assert [one["order_id"] for one in listed] == [
        one for one in reversed(known) if get(shop, f"{path}/{one}").json()["user_id"] == history["ada"]
    ]
    assert len(listed) == reached
    for one in listed:
        assert get(shop, f"{path}/{one['order_id']}").json() == one


@pytest.mark.parametrize(("path", "states"), [
    ("/reservations", {"SOLD": 2, "RELEASED": 3, "RESERVED": 0}), ("/payments", {"TAKEN": 2, "FAILED": 1, "REFUNDED": 1}),
    ("/deliveries", {"SCHEDULED": 2, "FAILED": 1, "CANCELLED": 0}),
])
def test_a_list_can_be_of_one_state(shop: LocalShop, history: dict[str, Any], path: str, states: dict[str, int]) -> None:
    for state, number in states.items():
        listed = [one for page in everything(shop, path, state=state, user_id=history["ada"]) for one in page]
        assert len(listed) == number and all(one["state"] == state for one in listed)
        everybodys = [one for page in everything(shop, path, state=state) for one in page]
        assert {one["order_id"] for one in listed} <= {one["order_id"] for one in everybodys}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_pages_together_are_the_list(shop: LocalShop, history: dict[str, Any], path: str, limit: int) -> None:
    key = {"/users": "id", "/products": "id", "/inventory": "product_id", "/notifications": "id"}.get(path, "order_id")
    [whole] = everything(shop, path, limit=100)
    pages = everything(shop, path, limit=limit)
    assert [one[key] for page in pages for one in page] == [one[key] for one in whole]
    assert len(whole) == len({one[key] for one in whole}) > 1
    assert all(len(page) == limit for page in pages[:-1]) and 0 < len(pages[-1]) <= limit


@pytest.mark.parametrize("path", LISTS)
def test_a_list_under_the_prefix_leads_on_under_the_prefix(shop: LocalShop, history: dict[str, Any], path: str) -> None:
    answer = get(shop, f"/api/v1{path}", limit=1)
    assert answer.links["next"]["url"].startswith(f"/api/v1{path}?")
    assert everything(shop, f"/api/v1{path}", limit=1) == everything(shop, path, limit=1)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", [
    {"limit": 0}, {"limit": 101}, {"limit": -1}, {"limit": 2**63}, {"limit": "9" * 5_000}, {"limit": "ten"},
    {"limit": "1e3"}, {"limit": "NaN"}, {"limit": ""}, {"after": "'; DROP TABLE users; --"}, {"after": ""}, {"after": "\0"},
    {"after": "9" * 5_000}, {"after": "1795267889.5"}, {"after": "NaN_4f8b3c6e-5d0a-5b7e-9c1d-2a3b4c5d6e7f"},
])
def test_a_page_that_is_none_is_refused(shop: LocalShop, path: str, query: dict[str, Any]) -> None:
    assert get(shop, path, **query).status_code == 422


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", ["limit=1&limit=2", "after=false&after=0", "limit=1&after=&limit=1"])
def test_a_parameter_given_twice_is_refused(shop: LocalShop, path: str, query: str) -> None:
    answer = get(shop, f"{path}?{query}")
    assert answer.status_code == 422 and "more than once" in answer.json()["detail"]
    assert get(shop, f"{path}?limit=1&unknown=1&unknown=2").status_code == 200


@pytest.mark.parametrize("path", [*OF_ORDERS, "/notifications"])
@pytest.mark.parametrize("query", [
    {"user_id": 0}, {"user_id": -1}, {"user_id": 2**63}, {"user_id": "9" * 5_000}, {"user_id": "true"}, {"user_id": "1.5"},
    {"user_id": "1 OR 1=1"}, {"user_id": "\0"}, {"user_id": ""},
])
def test_a_filter_by_nobody_is_refused(shop: LocalShop, path: str, query: dict[str, Any]) -> None:
    assert get(shop, path, **query).status_code == 422


@pytest.mark.parametrize("path", OF_ORDERS)
@pytest.mark.parametrize("state", ["", "LOST", "taken", "TAKEN' OR '1'='1", "\0", "SOLD\ud7ff"])
def test_a_filter_by_no_state_is_refused_and_the_states_are_named(shop: LocalShop, path: str, state: str) -> None:
    answer = get(shop, path, state=state)
    assert answer.status_code == 422 and "'VOID'" in answer.json()["detail"]


@pytest.mark.parametrize("path", OF_ORDERS)
def test_an_order_nobody_knows_is_not_found_and_one_that_is_none_is_refused(shop: LocalShop, path: str) -> None:
    assert get(shop, f"{path}/{uuid4()}").status_code == 404
    for no_id in ("1", "x" * 5_000, "%00", "4f8b3c6e-5d0a-5b7e-9c1d", "'; DROP TABLE payments; --", "9" * 5_000):
        assert get(shop, f"{path}/{no_id}").status_code == 422


def test_reservations_show_the_goods_at_their_prices_then(shop: LocalShop, history: dict[str, Any]) -> None:
    chair, book = history["chair"], history["book"]
    change = {"name": "Chair", "price_cents": 77}
    assert shop.http("product").put(f"/products/{chair}", json=change).status_code == 200
    [listed] = everything(shop, "/reservations", user_id=history["ada"])
    for one in listed:
        pieces = (90, 90) if one["order_id"] == history["orders"][-1] else (1, 2)
        assert one["lines"] == [
            {"product_id": chair, "quantity": pieces[0], "price_cents": 10},
            {"product_id": book, "quantity": pieces[1], "price_cents": 5},
        ]
        assert one["amount_cents"] == pieces[0] * 10 + pieces[1] * 5
    assert shop.http("product").get(f"/products/{chair}").json()["price_cents"] == 77


def test_the_inventory_says_where_the_goods_are(shop: LocalShop, history: dict[str, Any]) -> None:
    stock = get(shop, f"/inventory/{history['book']}").json()
    goods = {"shelf": 96, "reserved": 0, "sold": 4, "put_in": 100}
    assert stock == {"product_id": history["book"], "name": "Chair", **goods}
    assert stock in [one for page in everything(shop, "/inventory") for one in page]
    assert get(shop, "/inventory/999999999").status_code == 404


def test_news_can_be_of_an_order_or_of_a_customer(shop: LocalShop, history: dict[str, Any]) -> None:
    first = history["orders"][0]
    of_order = [one for page in everything(shop, "/notifications", order_id=first, limit=1) for one in page]
    times = [one["told_at"] for one in of_order]
    assert times == sorted(times, reverse=True)
    assert {one["kind"] for one in of_order} == {"OrderPlaced", "PaymentTaken", "OrderConfirmed"}
    [of_bob] = everything(shop, "/notifications", user_id=history["bob"])
    assert len(of_bob) == 3 and {one["user_id"] for one in of_bob} == {history["bob"]}
    assert everything(shop, "/notifications", order_id=first, user_id=history["bob"]) == [[]]
    assert {UUID(one["id"]).version for one in of_bob} == {5}
    for no_order in ("1", "\0", "", "'; --"):
        assert get(shop, "/notifications", order_id=no_order).status_code == 422

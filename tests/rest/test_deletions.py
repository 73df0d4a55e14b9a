"""DELETE of a customer or a product: what was never used goes, what stands on the books stays, and says why."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from lab.local import LocalShop
from tests.flows.words import Words, key_for


def delete(shop: LocalShop, path: str) -> httpx.Response:
    return shop.http("user" if path.startswith("/users") else "product").delete(path)


def stays(shop: LocalShop, path: str, why: str) -> None:
    """The deletion is refused for this reason, and what is there is what was there."""
    client = shop.http("user" if path.startswith("/users") else "product")
    before = client.get(path).json()
    refusal = delete(shop, path)
    assert refusal.status_code == 409 and why in refusal.json()["detail"], refusal.text
    assert client.get(path).json() == before


@pytest.mark.parametrize(("service", "path", "change"), [
    ("user", "/users/{}", {"name": "Ada"}), ("product", "/products/{}", {"name": "Chair", "price_cents": 1}),
])
def test_what_is_deleted_is_gone(words: Words, service: str, path: str, change: dict[str, Any]) -> None:
    path = path.format(words.customer(0) if service == "user" else words.goods(5, 10))
    client = words.shop.http(service)
    gone = client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    for again in (client.get(path), client.put(path, json=change), client.delete(path)):
        assert again.status_code == 404
    more = ("deposits", {"amount_cents": 1}) if service == "user" else ("restock", {"quantity": 1})
    assert client.post(f"{path}/{more[0]}", json=more[1]).status_code == 404
    words.quiet()


def test_an_id_is_never_given_to_another(words: Words) -> None:
    """An order, or a message, may still name it."""
    last, shelf = words.customer(0), words.goods(1, 1)
    assert delete(words.shop, f"/users/{last}").status_code == delete(words.shop, f"/products/{shelf}").status_code == 204
    assert words.customer(0) > last and words.goods(1, 1) > shelf


def test_a_customer_with_money_stays(words: Words) -> None:
    stays(words.shop, f"/users/{words.customer(5)}", "5 cents were paid in")


def test_whoever_ordered_and_whatever_was_ordered_stays(words: Words) -> None:
    poor, rich, chair, book = words.customer(0), words.customer(100), words.goods(10, 5), words.goods(10, 5)
    assert words.settled(words.order(poor, {chair: 1}))["status"] == "FAILED"
    assert words.settled(words.order(rich, {book: 1}))["status"] == "SUCCESS"
    words.quiet()
    stays(words.shop, f"/users/{poor}", "orders were placed in this name")
    stays(words.shop, f"/users/{rich}", "100 cents were paid in")
    for product in (chair, book):
        stays(words.shop, f"/products/{product}", "goods were set aside for orders")


def test_an_order_for_what_is_deleted_fails_and_says_so(words: Words) -> None:
    rich, chair, nobody, nothing = words.customer(100), words.goods(10, 5), words.customer(0), words.goods(10, 5)
    assert delete(words.shop, f"/users/{nobody}").status_code == 204
    assert delete(words.shop, f"/products/{nothing}").status_code == 204
    for user, product, why in ((nobody, chair, f"user {nobody}"), (rich, nothing, f"product {nothing}")):
        order = words.settled(words.order(user, {product: 1}, key_for(user)))
        assert (order["status"], order["reason"]) == ("FAILED", f"{why} does not exist")
    words.quiet()
    assert words.money(rich) == (100, 0, 0) and words.stock(chair) == (5, 0, 0)

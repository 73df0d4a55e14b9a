"""GET /orders and /sagas: filters, the newest first, page by page; and what a saga tells of its steps."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from lab.local import LocalShop
from patterns.shop import CancelOrder
from tests.flows.words import Words, key_for


@pytest.fixture
def ada(words: Words) -> int:
    return words.customer(100_000)


@pytest.fixture
def chair(words: Words) -> int:
    return words.goods(1_000, 100)


def place(words: Words, user: int, product: int, mode: str, **more: Any) -> str:
    body = {"user_id": user, "product_id": product, "quantity": 1, "mode": mode, **more}
    headers = {"Prefer": "wait=30", "Idempotency-Key": key_for(user)}
    answer = words.shop.http("order").post("/orders", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ids(shop: LocalShop, path: str, **query: Any) -> list[str]:
    """The ids of a whole list, read by following its links."""
    found: list[str] = []
    following: str | None = str(shop.http("order").base_url.join(path).copy_merge_params(query))
    while following is not None:
        answer = shop.http("order").get(following)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()) <= query.get("limit", 50)
        found += [one["id"] for one in answer.json()]
        following = answer.links["next"]["url"] if "next" in answer.links else None
    return found


def test_orders_are_listed_by_their_customer_status_and_mode_the_newest_first(words: Words, ada: int, chair: int) -> None:
    shop = words.shop
    good = [place(words, ada, chair, mode) for mode in ("topic", "rpc", "topic")]
    bad = place(words, ada, chair, "topic", amount="0.01")
    other = place(words, words.customer(100_000), chair, "topic")
    assert ids(shop, "/orders", user_id=ada) == [bad, *reversed(good)]
    assert ids(shop, "/orders", user_id=ada, status="SUCCESS", mode="topic") == [good[2], good[0]]
    assert ids(shop, "/orders", user_id=ada, status="FAILED") == [bad]
    assert ids(shop, "/orders", user_id=ada, status="PROCESSING") == ids(shop, "/orders", user_id=ada, mode="fanout") == []
    assert ids(shop, "/orders", mode="topic")[:2] == [other, bad]
    assert ids(shop, "/orders")[:2] == [other, bad]


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_pages_follow_each_other_by_their_links(words: Words, ada: int, chair: int, prefix: str, limit: int) -> None:
    placed = [place(words, ada, chair, "topic") for _ in range(4)]
    place(words, words.customer(10_000), chair, "topic")
    assert ids(words.shop, f"{prefix}/orders", user_id=ada, limit=limit) == placed[::-1]
    link = words.shop.http("order").get(f"{prefix}/orders?user_id={ada}&limit=1&mode=topic").headers["link"]
    assert link.startswith(f"<{prefix}/orders?user_id={ada}&limit=1&mode=topic&after=") and link.endswith('>; rel="next"')


def test_a_list_shows_each_order_as_it_is_shown_alone(words: Words, ada: int, chair: int) -> None:
    lamp = words.goods(5, 5)
    order_id = words.order(ada, {chair: 1, lamp: 2})
    words.settled(order_id)
    assert words.shop.http("order").get(f"/orders?user_id={ada}").json() == [words.look(order_id)]


@pytest.mark.parametrize("query", [
    "limit=0", "limit=101", "limit=all", "limit=", "status=PAID", "status=", "mode=pigeon", "user_id=0", "user_id=x",
    f"user_id={2**63}", "user_id=" + "9" * 5_000, "after=x", "after=%00", "after=1_2", f"after=nan_{UUID(int=0)}",
    f"after=1e400_{UUID(int=0)}", f"after={'9' * 400}_{UUID(int=0)}", "after=1.5_" + "z" * 36, "status=SUCCESS'--",
])
@pytest.mark.parametrize("path", ["/orders", "/sagas"])
def test_a_question_that_makes_no_sense_is_refused(shop: LocalShop, path: str, query: str) -> None:
    answer = shop.http("order").get(f"{path}?{query}")
    if path == "/sagas" and query.split("=")[0] in ("mode", "user_id"):
        assert answer.status_code == 200  # sagas are not asked for by these, and unknown parameters are ignored
        return
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["loc"] == ["query", query.split("=")[0]]


# -- sagas


def steps(saga: dict[str, Any]) -> list[str]:
    return [step["state"] for step in saga["steps"]]


def test_a_saga_tells_its_steps_and_its_history(words: Words, ada: int, chair: int) -> None:
    order_id = place(words, ada, chair, "saga")
    saga = words.shop.http("order").get(f"/sagas/{order_id}").json()
    assert saga == words.shop.http("order").get(f"/sagas/order/{order_id}").json()
    assert saga == words.shop.http("order").get(f"/api/v1/sagas/order/{order_id}").json()
    assert (saga["id"], saga["order_id"], saga["saga_state"]) == (order_id, order_id, "COMPLETED")
    assert [(step["service"], step["action"]) for step in saga["steps"]] == [
        ("product", "reserve_stock"), ("user", "hold_funds"), ("payment", "take_payment"), ("delivery", "schedule_delivery"),
    ]
    assert steps(saga) == ["DONE"] * 4
    assert [entry["saga_state"] for entry in saga["history"]] == [
        "STARTED", "STOCK_RESERVED", "FUNDS_HELD", "PAYMENT_TAKEN", "COMPLETED",
    ]


def test_a_saga_that_was_undone_tells_how_far_it_had_come(words: Words, ada: int, chair: int) -> None:
    shop, lines = words.shop, {chair: 1}
    orders = Words(shop, "saga")
    nothing = orders.order(ada, {words.goods(1, 0): 1})
    poor = orders.order(words.customer(0), lines)
    declined = orders.order(ada, lines, key_for(ada, paid=False))
    refused = orders.order(ada, lines, key_for(ada, delivered=False))
    words.quiet()
    states = {
        nothing: ["REFUSED", "NOT_DONE", "NOT_DONE", "NOT_DONE"], poor: ["UNDONE", "REFUSED", "NOT_DONE", "NOT_DONE"],
        declined: ["UNDONE", "UNDONE", "REFUSED", "NOT_DONE"], refused: ["UNDONE", "UNDONE", "UNDONE", "REFUSED"],
    }
    for order_id, expected in states.items():
        saga = shop.http("order").get(f"/sagas/{order_id}").json()
        assert (steps(saga), saga["status"], saga["saga_state"]) == (expected, "FAILED", "COMPENSATED")
        assert saga["reason"]


def test_a_cancelled_saga_has_every_step_undone(words: Words, ada: int, chair: int) -> None:
    words.shop.stop("payment")
    try:
        order_id = Words(words.shop, "saga").order(ada, {chair: 1})
        words.shop.service("order").perform(CancelOrder(order_id=order_id))
    finally:
        words.shop.start("payment")
    words.quiet()
    assert steps(words.shop.http("order").get(f"/sagas/{order_id}").json()) == ["UNDONE"] * 4


def test_only_orders_of_mode_saga_are_sagas(words: Words, ada: int, chair: int) -> None:
    shop = words.shop
    sagas, other = [place(words, ada, chair, "saga") for _ in range(3)], place(words, ada, chair, "topic")
    assert ids(shop, "/sagas", limit=2)[:3] == sagas[::-1]
    assert other not in ids(shop, "/sagas")
    assert ids(shop, "/sagas", saga_state="COMPLETED", status="SUCCESS")[:3] == sagas[::-1]
    assert not set(sagas) & set(ids(shop, "/sagas", saga_state="COMPENSATED"))
    for path in (f"/sagas/{other}", f"/sagas/order/{other}"):
        assert "mode topic" in shop.http("order").get(path).json()["detail"]
        assert shop.http("order").get(path).status_code == 404
    for path in (f"/sagas/{uuid4()}", f"/sagas/order/{uuid4()}"):
        assert shop.http("order").get(path).status_code == 404

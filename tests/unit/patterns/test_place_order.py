"""An order as clients write it: every shape that is documented is accepted, and means the same; nothing else is."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from patterns.place_order import EXAMPLES, OrderRequest, PlaceOrder
from patterns.shop import MAX_QUANTITY

PAGE = Path(__file__).parents[3] / "docs" / "http.md"


@cache
def documented() -> jsonschema.Draft202012Validator:
    """What the schema says that clients are shown."""
    return jsonschema.Draft202012Validator(OrderRequest.model_json_schema())


def order(body: Any, mode: str = "topic", key: str = "key") -> PlaceOrder:
    return PlaceOrder.received(json.dumps(body).encode(), message_id=key, mode=mode)


def accepted(body: Any) -> bool:
    try:
        OrderRequest.model_validate(body)
    except ValidationError:
        return False
    return True


def cents(amount: Any) -> int | None:
    return OrderRequest.model_validate({"user_id": 1, "product_id": 1, "amount": amount}).amount_cents


@pytest.mark.parametrize(("amount", "expected"), [
    (0, 0), (1, 100), (19.99, 1_999), ("19.99", 1_999), ("1.5", 150), ("007", 700), (0.1 + 0.2, 30), (3 * 0.19, 57),
    (10**16, 10**18), (1e16, 10**18), (123456789012.34, 12345678901234), ("9999999999999999.99", 999999999999999999),
])
def test_an_amount_is_read_to_the_cent(amount: Any, expected: int) -> None:
    assert cents(amount) == expected


@pytest.mark.parametrize("amount", [
    1.005, "1.005", 0.001, -1, -0.01, "-1", 10**16 + 1, 1e300, float("inf"), float("nan"), True, False, None, [], {}, "",
    " 1", "1 ", "1\n", "1e3", "1_000", "1,5", "٣", "½", "0x10", "1" * 17, "NaN",
], ids=repr)
def test_what_is_no_amount_of_whole_cents_is_refused(amount: Any) -> None:
    with pytest.raises(ValidationError):
        cents(amount)


def test_every_way_of_writing_an_order_is_the_same_order() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    shapes = [json.loads(line) for line in lines if line.startswith('    {"') and "product_id" in line]
    assert len(shapes) == 3
    with_amount = [order(shape) for shape in shapes[1:]]
    assert with_amount[0] == with_amount[1]
    assert order({**shapes[0], "amount": 99.98}) == with_amount[0]
    assert order(shapes[0]).fingerprint != with_amount[0].fingerprint


def test_the_same_order_under_another_key_is_written_the_same() -> None:
    body = EXAMPLES["several lines"]
    assert order(body, key="a").order_id != order(body, key="b").order_id
    assert order(body, key="a").fingerprint == order(body, key="b").fingerprint


@pytest.mark.parametrize("body", [5, None, "user_id", [["user_id", 1], ["product_id", 1]]], ids=repr)
def test_what_is_no_object_is_no_order(body: Any) -> None:
    assert not accepted(body)


def test_lines_of_one_product_are_added_up_and_no_more_than_one_could_hold() -> None:
    body = {"user_id": 1, "items": [{"product_id": 1, "quantity": MAX_QUANTITY - 1}, {"product_id": 1, "quantity": 1}]}
    assert [line.quantity for line in order(body).lines] == [MAX_QUANTITY]
    body["items"] *= 2  # type: ignore[operator]
    with pytest.raises(ValidationError, match="at most 10000 pieces of one product"):
        order(body)


def test_a_mode_belongs_to_the_order_only_if_the_client_chose_it() -> None:
    body = EXAMPLES["one product"]
    assert order(body, "topic").mode == "topic" and order(body, "saga").mode == "saga"
    assert order(body, "topic").fingerprint == order(body, "saga").fingerprint
    assert order({**body, "mode": "saga"}, "topic").mode == "saga"
    assert order({**body, "mode": "saga"}).fingerprint != order(body).fingerprint


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_orders(name: str) -> None:
    documented().validate(EXAMPLES[name])
    assert accepted(EXAMPLES[name])


IDS = st.sampled_from([1, 2, 2**53 - 1, 2**53, 2**63, 0, "1", True, 1.5, None])
PIECES = st.sampled_from([1, 10_000, 10_001, 0, "1", False, None])
LINES = st.fixed_dictionaries({"product_id": IDS}, optional={"quantity": PIECES}) | st.none()
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "user_id": IDS, "owner_id": IDS, "customer_id": IDS, "product_id": IDS, "quantity": PIECES,
    "items": st.lists(LINES, max_size=2) | IDS, "lines": st.lists(LINES, max_size=1), "more": IDS,
    "amount": st.sampled_from([5, 0, -1, "5.00", "x", 10**17, None, [], 0.5, "1.234"]),
    "amount_cents": st.sampled_from([500, 0, -1, 10**18, 10**18 + 1, "5", None]),
    "mode": st.sampled_from(["rpc", "saga", "pigeon", None, 5]),
}
BODIES = st.fixed_dictionaries({}, optional=FIELDS)
PLAIN = st.fixed_dictionaries({"user_id": st.just(1)}, optional={
    **{name: FIELDS[name] for name in ("product_id", "quantity", "items", "amount", "amount_cents", "mode")},
})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BODIES | PLAIN)
@example({"user_id": 1, "items": [{"product_id": 1, "quantity": 1}], "quantity": 1})
@example({"user_id": 1, "product_id": 1, "items": [{"product_id": 1, "quantity": 1}]})
@example({"user_id": 1, "product_id": 1, "items": [{"product_id": 1, "quantity": 1}], "quantity": 1})
@example({"user_id": 1, "owner_id": 1, "product_id": 1})
@example({"user_id": 1, "product_id": 1, "amount": 5, "amount_cents": 500})
def test_what_the_schema_allows_is_accepted_and_nothing_else(body: dict[str, Any]) -> None:
    lines = body["items"] if isinstance(body.get("items"), list) else []
    pieces = [line["quantity"] for line in lines if line and type(line.get("quantity")) is int]
    assume(sum(pieces) <= 10_000)  # what lines of one product add up to, no schema can say
    assert accepted(body) == documented().is_valid(body)

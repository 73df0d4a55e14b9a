"""The audit's checks can fail: planted in the books, each sin is found."""

from __future__ import annotations

from types import SimpleNamespace as Row
from typing import Any
from uuid import uuid4

import pytest

from lab.books import Books
from lab.promises import nothing_belongs_to_nobody

EMPTY: dict[str, Any] = {
    "orders": {}, "reservations": {}, "holds": {}, "payments": {}, "deliveries": {}, "users": [Row(id=1)],
    "products": [Row(id=1)], "deposits": {1: 5}, "reserved": {(1, "SOLD"): 2}, "told": {},
}


def hold(user: int | None, state: str) -> dict[str, Any]:
    return {"holds": {uuid4(): Row(user_id=user, state=state, amount_cents=0)}}


@pytest.mark.parametrize("fine", [{}, hold(1, "HELD"), hold(None, "VOID"), hold(2, "REJECTED")])
def test_what_belongs_to_somebody_is_no_complaint(fine: dict[str, Any]) -> None:
    assert not list(nothing_belongs_to_nobody(Books(**{**EMPTY, **fine})))


@pytest.mark.parametrize("sin", [
    {"deposits": {2: 5}}, hold(2, "HELD"), hold(2, "SPENT"), hold(2, "RELEASED"), {"reserved": {(2, "RESERVED"): 1}},
    {"reserved": {(2, "RELEASED"): 1}}, {"users": []}, {"products": []},
])
def test_what_belongs_to_nobody_is_found(sin: dict[str, Any]) -> None:
    assert len(list(nothing_belongs_to_nobody(Books(**{**EMPTY, **sin})))) == 1

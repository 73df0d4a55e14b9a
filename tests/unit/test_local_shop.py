"""One shop after another in the same process: nothing of the first is left in the second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.books import database_of, open_books
from lab.local import LocalShop
from patterns.shop import SERVICES


@pytest.fixture
def _nothing_left_open() -> Iterator[None]:
    yield
    for service in SERVICES:
        database_of(service).close()


@pytest.mark.usefixtures("_nothing_left_open")
def test_whoever_looked_into_a_closed_shop_leaves_no_way_back_into_it(tmp_path: Path) -> None:
    """A look after the end opens connections that nobody closes: the next shop must not take them for its own."""
    for name in ("Ada", "Bob"):
        with LocalShop(orderflow_home=tmp_path / name, rabbitmq_url="", database_url="") as shop:
            shop.http("user").post("/users", json={"name": name, "balance_cents": 100})
        assert [user.name for user in open_books().users] == [name]

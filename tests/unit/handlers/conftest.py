"""A bench for each service's handlers, with goods and customers, new for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.handlers.workbench import Workbench


def _bench(service: str, folder: Path) -> Iterator[Workbench]:
    bench = Workbench(service, folder)
    yield bench
    bench.database.close()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Workbench]:
    """The product service's handlers: 1000 pencils at 250 cents, no pens."""
    yield from _bench("product", tmp_path)


@pytest.fixture
def user(tmp_path: Path) -> Iterator[Workbench]:
    """The user service's handlers: somebody rich, somebody poor."""
    yield from _bench("user", tmp_path)


@pytest.fixture
def order(tmp_path: Path) -> Iterator[Workbench]:
    """The order service's handlers."""
    yield from _bench("order", tmp_path)


@pytest.fixture
def payment(tmp_path: Path) -> Iterator[Workbench]:
    """The payment service's handlers."""
    yield from _bench("payment", tmp_path)


@pytest.fixture
def delivery(tmp_path: Path) -> Iterator[Workbench]:
    """The delivery service's handlers."""
    yield from _bench("delivery", tmp_path)


@pytest.fixture
def notification(tmp_path: Path) -> Iterator[Workbench]:
    """The notification service's handlers."""
    yield from _bench("notification", tmp_path)

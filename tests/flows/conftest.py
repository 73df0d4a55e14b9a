from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.local import LocalShop
from patterns.settings import MODES
from tests.flows.words import RATE, Words


@pytest.fixture(autouse=True)
def _settings_of_its_own() -> None:
    """The tests of a module share a shop, and with it its settings."""


@pytest.fixture(scope="module", params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalShop]:
    """An open shop: embedded, or on a RabbitMQ virtual host and PostgreSQL databases of its own."""
    servers = {"rabbitmq_url": "", "database_url": ""}
    if request.param == "real":
        databases = request.getfixturevalue("databases")
        servers = {"rabbitmq_url": request.getfixturevalue("module_rabbitmq_url"), "database_url": databases.fresh()}
        request.addfinalizer(lambda: databases.drop(servers["database_url"]))
    rates = {"payment_failure_rate": RATE, "delivery_failure_rate": RATE}
    wait = getattr(request.module, "RPC_WAIT_SECONDS", 30)
    home = tmp_path_factory.mktemp("home")
    times = {"retry_delays_seconds": (0.1, 0.2, 0.4), "rpc_wait_seconds": wait}
    with LocalShop(orderflow_home=home, **times, **rates, **servers) as running:
        yield running


@pytest.fixture(params=MODES)
def words(request: pytest.FixtureRequest, shop: LocalShop) -> Words:
    return Words(shop, request.param)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On real servers, try these scenarios with one service out of several; embedded, and with FLOWS=whole, with each.

    Which service is away, or dies, makes no difference to a broker or a database; time does, in a run of six minutes.
    """
    if os.environ.get("FLOWS") == "whole":
        return
    left_out = [item for item in items if _is_of_another_service(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_of_another_service(item: pytest.Item) -> bool:
    chosen = getattr(item, "callspec", None)
    return (
        chosen is not None and item.path.parent == Path(__file__).parent and chosen.params.get("shop") == "real"
        and chosen.params.get("service", "payment") != "payment"
    )

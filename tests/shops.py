"""An open shop for the tests of a module: embedded, or on a real RabbitMQ and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.local import LocalShop
from tests.flows.words import RATE


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
    times = {"retry_delays_seconds": (0.1, 0.2, 0.4), "rpc_wait_seconds": wait, "relay_seconds": 0.3}
    with LocalShop(orderflow_home=home, **times, **rates, **servers) as running:
        yield running

"""A configured broker or database that is away is waited for, said in plain words, and never replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.local import LocalShop
from lab.servers import PrivatePostgres, PrivateRabbitMQ
from patterns.shop import SERVICES
from tests.flows.words import Words, key_for, until

pytestmark = pytest.mark.real

MODES = ("rpc", "topic")


@pytest.fixture(autouse=True)
def _settings_of_its_own() -> None:
    """The shop of a test has its own settings."""


@pytest.fixture
def open_shop(
    private_rabbitmq: PrivateRabbitMQ, private_postgres: PrivatePostgres, tmp_path: Path
) -> Iterator[Callable[[], Any]]:
    """Opens a shop on servers that may be killed; an empty database set and virtual host for each."""
    vhost = private_rabbitmq.fresh_vhost()
    names = [f"{vhost}_{service}".replace("-", "_") for service in SERVICES]
    for name in names:
        private_postgres.create_database(name)
    database_url = private_postgres.url(names[0].removesuffix("_user"))

    @contextmanager
    def opened() -> Iterator[LocalShop]:
        settings = {"rabbitmq_url": private_rabbitmq.url(vhost), "database_url": database_url, "rpc_wait_seconds": 0.5}
        with LocalShop(orderflow_home=tmp_path, **settings) as shop:
            yield shop

    yield opened
    private_postgres.start()
    for name in names:
        private_postgres.drop_database(name)


def crash(rabbitmq: PrivateRabbitMQ) -> None:
    """Kill the node, after it has written down which queues there are.

    RabbitMQ 3.10.8 forgets quorum queues declared in the last seconds before a ``kill -9``, and what they held.
    """
    rabbitmq.eval("mnesia:sync_log(), [dets:sync(Table) || Table <- dets:all()].")
    rabbitmq.kill()


def ready(shop: LocalShop) -> bool:
    return all(shop.http(service).get("/readyz").status_code == 200 for service in SERVICES)


def troubles(shop: LocalShop, service: str) -> dict[str, str]:
    answer = shop.http(service).get("/readyz")
    assert answer.status_code in (200, 503)
    return dict(answer.json()["troubles"])


def test_a_broker_that_is_away_is_waited_for(
    open_shop: Callable[[], Any], private_rabbitmq: PrivateRabbitMQ
) -> None:
    with open_shop() as shop:
        until(lambda: ready(shop), "the shop is ready")
        words = {mode: Words(shop, mode) for mode in MODES}
        ada, chair = words["rpc"].customer(100_000), words["rpc"].goods(1_000, 50)
        crash(private_rabbitmq)
        until(lambda: {"voice", "ears"} <= troubles(shop, "order").keys(), "/readyz says what is missing")
        assert shop.http("order").get("/healthz").status_code == 200
        placed = {mode: one.order(ada, {chair: 1}) for mode, one in words.items()}  # accepted: the outbox keeps them
        assert {words[mode].look(order)["status"] for mode, order in placed.items()} == {"PROCESSING"}
        private_rabbitmq.start()
        for mode, order in placed.items():
            assert words[mode].settled(order)["status"] == "SUCCESS"
        until(lambda: ready(shop), "every consumer is back")
        words["rpc"].quiet()


def test_a_database_that_is_away_is_waited_for(
    open_shop: Callable[[], Any], private_postgres: PrivatePostgres
) -> None:
    with open_shop() as shop:
        until(lambda: ready(shop), "the shop is ready")
        words = Words(shop, "topic")
        ada, chair = words.customer(100_000), words.goods(1_000, 50)
        placed = [words.order(ada, {chair: 1}) for _ in range(5)]
        private_postgres.kill()
        until(lambda: "database" in troubles(shop, "order"), "/readyz says what is missing")
        refused = words.post({"user_id": ada, "product_id": chair, "quantity": 1}, key_for(ada))
        assert refused.status_code == 503
        assert "does not answer" in refused.json()["detail"]
        private_postgres.start()
        for order in placed:
            assert words.settled(order)["status"] == "SUCCESS"
        until(lambda: ready(shop), "the shop is ready again")
        words.quiet()


def test_a_shop_may_open_before_its_servers(
    open_shop: Callable[[], Any], private_rabbitmq: PrivateRabbitMQ, private_postgres: PrivatePostgres
) -> None:
    private_rabbitmq.stop()
    private_postgres.kill()
    with open_shop() as shop:
        assert "service" in troubles(shop, "user")
        assert shop.http("user").get("/users").status_code == 503
        private_postgres.start()
        words = until(lambda: shop.http("user").get("/users").status_code == 200 and Words(shop, "saga"), "tables are made")
        private_rabbitmq.start()
        until(lambda: ready(shop), "everything is connected")
        ada, chair = words.customer(100_000), words.goods(1_000, 50)
        assert words.settled(words.order(ada, {chair: 1}))["status"] == "SUCCESS"
        words.quiet()

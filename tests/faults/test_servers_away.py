"""A configured broker or database that is away is waited for, said in plain words, and never replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.local import LocalShop
from lab.servers import PrivatePostgres, PrivateRabbitMQ
from tests.faults.trade import look, ready
from tests.flows.words import Words, key_for, until

pytestmark = pytest.mark.real

MODES = ("rpc", "topic")


def troubles(shop: LocalShop, service: str) -> dict[str, str]:
    return dict(look(shop, service)["troubles"])


@pytest.mark.whole
def test_a_broker_that_is_away_is_waited_for(
    open_shop: Callable[[], Any], private_rabbitmq: PrivateRabbitMQ
) -> None:
    with open_shop() as shop:
        until(lambda: ready(shop), "the shop is ready")
        words = {mode: Words(shop, mode) for mode in MODES}
        ada, chair = words["rpc"].customer(100_000), words["rpc"].goods(1_000, 50)
        private_rabbitmq.write_down()
        private_rabbitmq.kill()
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


@pytest.mark.whole
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

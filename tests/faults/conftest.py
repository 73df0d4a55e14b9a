from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.local import LocalShop
from lab.servers import PrivatePostgres, PrivateRabbitMQ
from patterns.shop import SERVICES

OpenShop = Callable[..., Any]


@pytest.fixture
def vhost(private_rabbitmq: PrivateRabbitMQ) -> str:
    """A virtual host on a node that this test may mistreat."""
    return private_rabbitmq.fresh_vhost()


@pytest.fixture
def open_shop(
    vhost: str, private_rabbitmq: PrivateRabbitMQ, private_postgres: PrivatePostgres, tmp_path: Path
) -> Iterator[OpenShop]:
    """Opens a shop, with settings, on servers that may be killed; an empty database set and virtual host for each."""
    names = [f"{vhost}_{service}".replace("-", "_") for service in SERVICES]
    for name in names:
        private_postgres.create_database(name)
    database_url = private_postgres.url(names[0].removesuffix("_user"))

    @contextmanager
    def opened(**chosen: Any) -> Iterator[LocalShop]:
        servers = {"rabbitmq_url": private_rabbitmq.url(vhost), "database_url": database_url}
        with LocalShop(orderflow_home=tmp_path, **{**servers, "rpc_wait_seconds": 0.5, **chosen}) as shop:
            yield shop

    yield opened
    private_postgres.start()
    for name in names:
        private_postgres.drop_database(name)
    private_rabbitmq.recover()
    private_rabbitmq.delete_vhost(vhost)

"""The servers a test may ask for, and what is made fresh on them: virtual hosts and sets of databases.

RABBITMQ_URL and DATABASE_URL name servers to test against; without them the tests start private ones, when first
asked for.  A test whose server cannot be had is skipped, loudly; with CI=true it fails.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import pytest

from lab.servers import ConfiguredRabbitMQ, Databases, Postgres, PrivatePostgres, PrivateRabbitMQ
from patterns.errors import ServerUnavailable
from tests import workers

#: What the developer gave us, read before the environment is cleared of our settings.
GIVEN = {name: os.environ.get(name, "") for name in ("RABBITMQ_URL", "RABBITMQ_MANAGEMENT_URL", "DATABASE_URL")}
IN_CI = os.environ.get("CI", "").lower() in ("true", "1")

Server = TypeVar("Server", PrivateRabbitMQ, PrivatePostgres)

#: The sets of databases made on each server; what is left on a configured one is dropped in the end.
SETS: dict[Postgres, Databases] = {}


class Unavailable:
    """Stands in for a server that cannot be had, so that it is tried for once, not once a test."""

    def __init__(self, reason: object) -> None:
        self.reason = str(reason).splitlines()[0]

    def miss(self) -> None:
        """Skip the test that asked, or fail it in CI, where a skipped test would go unnoticed."""
        workers.MISSED[self.reason] = workers.MISSED.get(self.reason, 0) + 1
        if IN_CI:
            pytest.fail(f"CI=true, and this test needs a server: {self.reason}", pytrace=False)
        pytest.skip(self.reason)


@pytest.fixture(scope="session")
def _private_rabbitmq() -> Iterator[PrivateRabbitMQ | Unavailable]:
    with _started(PrivateRabbitMQ) as server:
        yield server


@pytest.fixture(scope="session")
def _private_postgres() -> Iterator[PrivatePostgres | Unavailable]:
    with _started(PrivatePostgres) as server:
        yield server


@contextmanager
def _started(kind: type[Server]) -> Iterator[Server | Unavailable]:
    """A private server for as long as the tests run, which keeps nothing on disk for longer."""
    began = time.monotonic()
    with ExitStack() as open_until_the_end:
        try:
            server = open_until_the_end.enter_context(kind(fsync=False))
        except ServerUnavailable as error:
            yield Unavailable(error)
            return
        workers.USED.append(f"{server.description} (up in {time.monotonic() - began:.1f} s)")
        yield server


@pytest.fixture(scope="session")
def _configured_rabbitmq() -> ConfiguredRabbitMQ:
    server = ConfiguredRabbitMQ(GIVEN["RABBITMQ_URL"], GIVEN["RABBITMQ_MANAGEMENT_URL"])
    workers.USED.append(server.description)
    return server


@pytest.fixture(scope="session")
def _configured_postgres() -> Iterator[Postgres | Unavailable]:
    server = Postgres(GIVEN["DATABASE_URL"])
    try:
        workers.USED.append(server.description)
    except ServerUnavailable as error:
        yield Unavailable(error)
        return
    yield server
    if server in SETS:
        SETS[server].drop_all()
    server.disconnect()


@pytest.fixture
def private_rabbitmq(_private_rabbitmq: PrivateRabbitMQ | Unavailable) -> Iterator[PrivateRabbitMQ]:
    """A node this test may kill, stop, pause and starve; it is put back on its feet afterwards."""
    if isinstance(_private_rabbitmq, Unavailable):
        _private_rabbitmq.miss()
    assert isinstance(_private_rabbitmq, PrivateRabbitMQ)
    yield _private_rabbitmq
    _private_rabbitmq.recover()


@pytest.fixture
def private_postgres(_private_postgres: PrivatePostgres | Unavailable) -> Iterator[PrivatePostgres]:
    """A server this test may kill and stop; it is started again afterwards."""
    if isinstance(_private_postgres, Unavailable):
        _private_postgres.miss()
    assert isinstance(_private_postgres, PrivatePostgres)
    yield _private_postgres
    _private_postgres.start()


@pytest.fixture(scope="module")
def rabbitmq_server(request: pytest.FixtureRequest) -> PrivateRabbitMQ | ConfiguredRabbitMQ:
    """The broker to test against: RABBITMQ_URL's, or a private one."""
    server = request.getfixturevalue("_configured_rabbitmq" if GIVEN["RABBITMQ_URL"] else "_private_rabbitmq")
    if isinstance(server, Unavailable):
        server.miss()
    assert isinstance(server, PrivateRabbitMQ | ConfiguredRabbitMQ)
    return server


@pytest.fixture(scope="module")
def postgres_server(request: pytest.FixtureRequest) -> Postgres:
    """The PostgreSQL to test against: DATABASE_URL's, or a private one."""
    server = request.getfixturevalue("_configured_postgres" if GIVEN["DATABASE_URL"] else "_private_postgres")
    if isinstance(server, Unavailable):
        server.miss()
    assert isinstance(server, Postgres)
    return server


@pytest.fixture
def rabbitmq_url(rabbitmq_server: PrivateRabbitMQ | ConfiguredRabbitMQ) -> Iterator[str]:
    """A virtual host of the test's own, as RABBITMQ_URL; deleted afterwards."""
    yield from _vhost(rabbitmq_server)


@pytest.fixture(scope="module")
def module_rabbitmq_url(rabbitmq_server: PrivateRabbitMQ | ConfiguredRabbitMQ) -> Iterator[str]:
    """A virtual host for all tests of a module, as RABBITMQ_URL; deleted afterwards."""
    yield from _vhost(rabbitmq_server)


def _vhost(server: PrivateRabbitMQ | ConfiguredRabbitMQ) -> Iterator[str]:
    name = server.fresh_vhost()
    yield server.url(name)
    if isinstance(server, PrivateRabbitMQ):
        server.recover()  # the test may have killed or paused it
    server.delete_vhost(name)


@pytest.fixture(scope="module")
def databases(postgres_server: Postgres) -> Databases:
    """Makes sets of databases: ``fresh()``, ``drop(url)``; ``prepare(service, create_tables)`` makes a template."""
    return SETS.setdefault(postgres_server, Databases(postgres_server))


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Six empty databases (or copies of their templates), as DATABASE_URL with ``{service}`` in it."""
    url = databases.fresh()
    yield url
    databases.drop(url)

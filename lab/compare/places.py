"""Where the shops stand: a fresh broker and fresh databases for each run."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from lab.books import database_of
from lab.compare.plan import CompareTrouble
from lab.servers import ConfiguredRabbitMQ, Databases, Postgres, PrivatePostgres, PrivateRabbitMQ
from patterns.settings import configure, settings
from patterns.shop import SERVICES
from patterns.transport import use


class Place(Protocol):
    """Somewhere to open one shop after another."""

    @property
    def description(self) -> str:
        """Which broker and databases."""

    def fresh(self) -> Any:
        """A context: the settings of a place nobody has used, which is gone afterwards."""


class Embedded:
    """The embedded broker and SQLite files, in a folder of their own."""

    description = "the embedded broker and SQLite"

    @contextmanager
    def fresh(self) -> Iterator[dict[str, Any]]:
        """Settings of an empty folder, which is removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="orderflow-compare-") as folder:
            yield {"rabbitmq_url": "", "database_url": "", "orderflow_home": Path(folder)}


class Real:
    """A virtual host of a RabbitMQ and a set of databases of a PostgreSQL, made for the run and deleted after it."""

    def __init__(self, rabbitmq: PrivateRabbitMQ | ConfiguredRabbitMQ, postgres: Postgres) -> None:
        self.rabbitmq, self.databases = rabbitmq, Databases(postgres)
        # Name and version; where they are is nobody's business who reads the report.
        self.description = " and ".join(re.split(", | at ", one.description)[0] for one in (rabbitmq, postgres))

    @contextmanager
    def fresh(self) -> Iterator[dict[str, Any]]:
        """Settings of an empty virtual host and empty databases."""
        with ExitStack() as made:
            vhost = self.rabbitmq.fresh_vhost()
            made.callback(self.rabbitmq.delete_vhost, vhost)
            url = self.databases.fresh()
            made.callback(self.databases.drop, url)
            yield {"rabbitmq_url": self.rabbitmq.url(vhost), "database_url": url}


@contextmanager
def place_for(real: bool) -> Iterator[Place]:
    """Embedded, or on the servers that are configured, or on private ones.  Raises as :func:`real_place` does."""
    if real:
        with real_place() as place:
            yield place
    else:
        yield Embedded()


@contextmanager
def real_place(postgres: Mapping[str, str] | None = None) -> Iterator[Real]:
    """The servers that are configured, or private ones; ``postgres`` are options of a private PostgreSQL.

    Raises CompareTrouble where no virtual host can be made: a shop there would hear messages that are not its own.
    """
    with ExitStack() as opened:
        yield _real(opened, postgres)


def _real(opened: ExitStack, options: Mapping[str, str] | None) -> Real:
    rabbitmq: PrivateRabbitMQ | ConfiguredRabbitMQ
    if settings().rabbitmq_url:
        rabbitmq = ConfiguredRabbitMQ(settings().rabbitmq_urls[0])
        if rabbitmq.shared:
            raise CompareTrouble(
                "RABBITMQ_URL's management API (port 15672) lets us make no virtual hosts, and each mode needs one of its "
                "own: enable it for an administrator, or unset RABBITMQ_URL for a private RabbitMQ."
            )
    else:
        rabbitmq = opened.enter_context(PrivateRabbitMQ())
    if settings().database_url:
        postgres = Postgres(settings().database_url)
        opened.callback(postgres.disconnect)
    else:
        postgres = opened.enter_context(PrivatePostgres(options=options))
    return Real(rabbitmq, postgres)


@contextmanager
def settings_as_before() -> Iterator[None]:
    """Whatever is configured meanwhile, afterwards our settings, databases and broker are those of before."""
    before = settings().model_dump()
    try:
        yield
    finally:
        for service in SERVICES:
            database_of(service).close()
        use(None)
        configure(**before)

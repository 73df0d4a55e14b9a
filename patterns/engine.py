"""Where a service's database is, and how connections to it are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from patterns.errors import SettingsError
from patterns.settings import settings

LOCK_SECONDS = 5
"""How long a statement waits for somebody else's lock on PostgreSQL."""

KEPT_OPEN, AT_MOST = 20, 40
"""Connections to PostgreSQL: so many stay open once they were needed; as many as a process has threads for requests can be.
One beyond those kept is closed after each use, and to open it again costs PostgreSQL more than an order's statements do:
with ten kept and 16 clients, 3.8 ms of its processor time a POST instead of 1.4 (``orderflow bench --only accept``)."""

KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""A PostgreSQL that vanished without a word is given up within a minute, as RabbitMQ is by its heartbeat; the system's own
patience is two hours for who waits for an answer (seconds, and tcp_user_timeout in milliseconds;
https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-KEEPALIVES)."""


def database_url(service: str) -> URL:
    """Where a service's tables are: DATABASE_URL with ``{service}`` filled in, or its own file in ORDERFLOW_HOME.

    A DATABASE_URL without ``{service}`` names a prefix: ``…/shop`` is ``…/shop_product`` for the product service.
    """
    configured = settings().database_url
    if not configured:
        return sqlite_url(settings().orderflow_home, service)
    if "{service}" in configured:
        configured = configured.replace("{service}", service)
        suffix = ""
    else:
        suffix = f"_{service}"
    try:
        url = make_url(configured)
    except ArgumentError as error:
        raise SettingsError("DATABASE_URL: not a URL like postgresql://user:password@host:5432/shop") from error
    return url.set(drivername="postgresql+psycopg", database=f"{url.database or 'orderflow'}{suffix}")


def sqlite_url(home: Path, service: str) -> URL:
    """A service's own file in this folder."""
    home.mkdir(parents=True, exist_ok=True)
    return URL.create("sqlite", database=str(home / f"{service}.db"))


def make_engine(url: URL, clock: Callable[[], float]) -> Engine:
    """A connection pool; ``clock`` is what SQLite calls ``now()``."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=40, max_overflow=10, connect_args={"timeout": 30})
        _teach_sqlite(engine, clock)
        return engine
    return _postgresql(url)


def _postgresql(url: URL) -> Engine:
    limits = f"-c statement_timeout=10000 -c lock_timeout={LOCK_SECONDS}s -c idle_in_transaction_session_timeout=60000"
    return create_engine(
        url, pool_size=KEPT_OPEN, max_overflow=AT_MOST - KEPT_OPEN, pool_timeout=10,
        connect_args={
            **KEEPALIVE, "options": limits, "connect_timeout": 5, "application_name": "orderflow",
            "prepare_threshold": None,  # where psycopg prepares too, its rollback forgets what patterns.quick_line prepared
            "client_encoding": "utf8",  # else a database in SQL_ASCII (a server set up without a locale) answers bytes
        },
    )


def _teach_sqlite(engine: Engine, clock: Callable[[], float]) -> None:
    """Settings of each connection.

    What SQLite notes down to undo a single statement stays in memory: as a file, made and removed for every statement that
    changes several rows, it took a tenth of a transaction's processor time.
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; a session does
        connection.create_function("orderflow_now", 0, clock)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

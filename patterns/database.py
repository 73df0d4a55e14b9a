"""One service's database: PostgreSQL where DATABASE_URL names one, else a SQLite file of its own.

Only this module opens transactions.  Work is a function ``work(session, ...)`` that neither commits nor rolls back, so
that an effect, its inbox row and its outbox rows share one transaction.  Work is repeated when the database asks for it
(deadlock, serialization failure), so it must do nothing but SQL.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Double, Engine, MetaData, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from patterns.errors import CommitUnknown, DatabaseUnavailable, SettingsError
from patterns.settings import settings

Session = Connection
"""What handlers and crud functions get: Core statements only, inside a transaction somebody else ends."""

P = ParamSpec("P")
T = TypeVar("T")

TRY_AGAIN = frozenset({"40001", "40P01"})
"""SQLSTATEs after which the same work may succeed: serialization failure, deadlock
(https://www.postgresql.org/docs/15/errcodes-appendix.html)."""

ATTEMPTS = 8


class now(FunctionElement[float]):
    """The database's clock, in seconds since 1970; ``now(30)`` is half a minute later."""

    type = Double()
    inherit_cache = True

    def __init__(self, later: float = 0) -> None:
        super().__init__(*([float(later)] if later else []))
        self.later = later


@compiles(now, "postgresql")
def _now_postgresql(element: now, compiler: SQLCompiler, **options: Any) -> str:
    # The statement's time is stable within it, so that an index on a time can be used.
    return _later("CAST(extract(epoch from statement_timestamp()) AS double precision)", element, compiler, options)


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: SQLCompiler, **options: Any) -> str:
    return _later("orderflow_now()", element, compiler, options)


def _later(clock: str, element: now, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    return f"({clock} + {compiler.process(element.clauses, **options)})" if element.later else clock


def insert_for(dialect: str) -> Callable[[Table], Any]:
    """INSERT as this database knows it: with ``on_conflict_do_nothing``."""
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


class Database:
    """The transactions of one service.

    ``url`` is taken from the settings at first use unless given; ``clock`` is what SQLite calls ``now()``.
    """

    def __init__(self, service: str, url: URL | str | None = None, clock: Callable[[], float] = time.time) -> None:
        self.service, self.clock = service, clock
        self._url = make_url(url) if url is not None else None
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The connection pool, made at first use."""
        with self._lock:
            if self._engine is None:
                self._engine = _engine(self._url or database_url(self.service), self.clock)
            return self._engine

    def transact(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do this work in one transaction and commit it; again when the database says it may succeed then.

        Raises DatabaseUnavailable when nothing was done, CommitUnknown when nobody knows.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._transaction() as session:
                    return work(session, *args, **kwargs)
            except DBAPIError as error:
                if not _worth_repeating(error):
                    raise
                if attempt == ATTEMPTS:
                    raise DatabaseUnavailable(f"Gave way {ATTEMPTS} times: {_first_line(error)}") from error
            # Jitter, so that two transactions that met once do not meet again.
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 (not a secret)
        raise AssertionError("unreachable")

    def read(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Answer a question in one snapshot; nothing is written."""
        with _plain_errors(), self.engine.connect().execution_options(orderflow_read=True) as session:
            return work(session, *args, **kwargs)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        # SQLite has one writer at a time; waiting for it here is notified, its own waiting is polling.
        turn: AbstractContextManager[Any] = self._writing if self.engine.dialect.name == "sqlite" else nullcontext()
        with turn, _plain_errors(), self.engine.connect() as session:
            yield session
            try:
                session.commit()
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise CommitUnknown(f"The {self.service} database broke off while committing.") from error
                raise

    def create_tables(self, metadata: MetaData) -> None:
        """Make the tables that are missing; instances that start at once wait for each other."""
        if self.engine.dialect.name == "sqlite":
            self.transact(metadata.create_all)
            return

        def create(session: Session) -> None:
            session.execute(text("SELECT pg_advisory_xact_lock(hashtext('orderflow.tables'))"))
            metadata.create_all(session)

        self.transact(create)

    def ping(self) -> None:
        """Raises DatabaseUnavailable unless the database answers."""
        self.read(lambda session: session.execute(text("SELECT 1")).scalar_one())

    def close(self) -> None:
        """Give all connections back; the next use opens new ones."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


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


def _engine(url: URL, clock: Callable[[], float]) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, pool_size=40, max_overflow=10, connect_args={"timeout": 30})
        _teach_sqlite(engine, clock)
        return engine
    limits = "-c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000"
    return create_engine(
        url, pool_size=10, max_overflow=30, pool_timeout=10,
        connect_args={"options": limits, "connect_timeout": 5, "application_name": "orderflow"},
    )


def _teach_sqlite(engine: Engine, clock: Callable[[], float]) -> None:
    """Settings of each connection, and BEGIN IMMEDIATE for every writing transaction.

    A deferred transaction that reads first and then writes fails at once with "database is locked" when another
    wrote meanwhile, however long the timeout (https://www.sqlite.org/lang_transaction.html).
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; _begin below does
        connection.create_function("orderflow_now", 0, clock)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("orderflow_read")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _worth_repeating(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in TRY_AGAIN


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Say DatabaseUnavailable where the driver says one of many things."""
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        words = str(error.orig).lower()
        never_connected = state is None and ("connect" in words or "database is locked" in words)
        # 08: connection exceptions; 53: out of resources; 57: shutting down, or a timeout; 55P03: lock not available.
        if error.connection_invalidated or never_connected or str(state)[:2] in ("08", "53", "57") or state == "55P03":
            raise DatabaseUnavailable(f"The database does not answer: {_first_line(error)}") from error
        raise


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__

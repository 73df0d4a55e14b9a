"""One service's database: PostgreSQL where DATABASE_URL names one, else a SQLite file of its own.

Only this module opens transactions.  Work is a function ``work(session, ...)`` that neither commits nor rolls back, so
that an effect, its inbox row and its outbox rows share one transaction.  Work is repeated when the database asks for it
(deadlock, serialization failure), so it must do nothing but SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from patterns.engine import LOCK_SECONDS, database_url, make_engine
from patterns.errors import CommitUnknown, DatabaseUnavailable, GaveWay
from patterns.quick import Quick, plain
from patterns.quick_postgresql import QuickPostgreSQL
from patterns.quick_sqlite import QuickSQLite
from patterns.runtime import runtime
from patterns.sql import insert_for, now

__all__ = ["Database", "Session", "insert_for", "now"]

Session = Connection
"""What handlers and crud functions get: Core statements only, inside a transaction somebody else ends."""

P = ParamSpec("P")
T = TypeVar("T")

TRY_AGAIN = frozenset({"40001", "40P01"})
"""SQLSTATEs after which the same work may succeed: serialization failure, deadlock
(https://www.postgresql.org/docs/15/errcodes-appendix.html)."""

ATTEMPTS = 4

SESSIONS: dict[str, type[Quick]] = {"postgresql": QuickPostgreSQL, "sqlite": QuickSQLite}


class Database:
    """The transactions of one service.

    ``url`` is taken from the settings at first use unless given; ``clock`` is what SQLite calls ``now()``.  ``commits``
    counts what was committed here, by the name of its work.
    """

    session_type: type[Quick] | None = None
    """What work gets; None: what its kind of database has (SESSIONS)."""

    def __init__(self, service: str, url: URL | str | None = None, clock: Callable[[], float] | None = None) -> None:
        self.service, self.clock = service, clock or runtime().now
        self.commits: Counter[str] = Counter()
        self._url = make_url(url) if url is not None else None
        self._engine: Engine | None = None
        self._lock = runtime().lock()
        self._writing = runtime().lock()

    @property
    def engine(self) -> Engine:
        """The connection pool, made at first use."""
        with self._lock:
            if self._engine is None:
                self._engine = make_engine(self._url or database_url(self.service), self.clock)
            return self._engine

    @property
    def one_writer(self) -> bool:
        """Whether one transaction writes at a time, as on SQLite; elsewhere many do, and lock the rows they change."""
        return self.engine.dialect.name == "sqlite"

    def transact(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do this work in one transaction and commit it; again when the database says it may succeed then.

        Raises DatabaseUnavailable when nothing was done, CommitUnknown when nobody knows.
        """
        return self._transact(False, work, *args, **kwargs)

    def transact_one(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do this work, a single statement that may be done twice: it needs no BEGIN and no COMMIT on PostgreSQL.

        Raises DatabaseUnavailable; then it may have been done, or not.
        """
        return self._transact(True, work, *args, **kwargs)

    def _transact(
        self, at_once: bool, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._transaction(at_once) as session:
                    done = work(session, *args, **kwargs)
                with self._lock:
                    self.commits[getattr(work, "__name__", "work")] += 1
                return done
            except DBAPIError as error:
                if not _worth_repeating(error):
                    raise
                if attempt == ATTEMPTS:
                    raise GaveWay(f"Gave way {ATTEMPTS} times: {_first_line(error)}") from error
            # Jitter, so that two transactions that met once do not meet again.
            runtime().sleep(runtime().between(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    def read(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Answer a question; nothing is written.

        SQLite answers all its statements from one snapshot.  PostgreSQL each from its own, as in any READ COMMITTED
        transaction: so it is spared BEGIN and ROLLBACK, two of the three trips of a short question.
        """
        with _plain_errors(), self.engine.connect() as connection:
            return work(self._session(connection, reading=True), *args, **kwargs)

    @contextmanager
    def _transaction(self, at_once: bool) -> Iterator[Session]:
        # Waiting for SQLite's one writer here is notified, its own waiting is polling.
        turn: AbstractContextManager[Any] = self._writing if self.one_writer else nullcontext()
        with turn, _plain_errors(), self.engine.connect() as connection:
            session = self._session(connection, at_once=at_once)
            yield session
            try:
                self._commit(session)
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise CommitUnknown(f"The {self.service} database broke off while committing.") from error
                raise

    def _session(self, connection: Connection, *, at_once: bool = False, reading: bool = False) -> Session:
        kind = self.session_type or SESSIONS[connection.dialect.name]
        return cast("Session", kind(connection, at_once=at_once, reading=reading))

    def _commit(self, session: Session) -> None:
        session.commit()

    def create_tables(self, metadata: MetaData) -> None:
        """Make the tables that are missing; instances that start at once wait for each other."""
        self.alone(metadata.create_all)

    def alone(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make or change tables, in one transaction, while nobody else does; whoever comes second waits.

        Only a table in use gives up waiting after the usual LOCK_SECONDS: everybody who wants it queues behind us.
        """

        def locked(session: Session) -> T:
            own = plain(session)
            if own.dialect.name != "sqlite":  # there every writing transaction is alone
                own.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"))
                own.execute(text("SELECT pg_advisory_xact_lock(hashtext('orderflow.tables'))"))
                own.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            return work(own, *args, **kwargs)

        return self.transact(locked)

    def close(self) -> None:
        """Give all connections back; the next use opens new ones."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


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
    except PoolTimeout as error:
        raise DatabaseUnavailable(f"All connections to the database are in use: {error}") from error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__

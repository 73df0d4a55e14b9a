"""The simulated databases: real SQL on SQLite in memory, one for each service, shared by its instances.

A connection is production's own SQLAlchemy engine over a driver that knows the scheduler: at BEGIN it waits for its turn,
before each statement, before the commit and after it others may come first, and something may break.  Transactions of
one database are serial here; what happens between statements of two of them is PostgreSQL's to show (``tests/faults``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, NullPool, create_engine, event

from lab.simulation.scheduler import Process
from lab.simulation.waiting import Lock
from patterns import schema
from patterns.database import Database
from patterns.engine import begin_sqlite

if TYPE_CHECKING:
    from lab.simulation.world import World


class Deadlock(sqlite3.OperationalError):
    """What PostgreSQL says when transactions wait for each other."""

    sqlstate = "40P01"


BROKEN_OFF = "Cannot operate on a closed database."
"""What the driver says when the connection is gone; SQLAlchemy knows these words."""


class Store:
    """One service's database: what is committed survives every process."""

    def __init__(self, world: World, service: str) -> None:
        self.world, self.service = world, service
        self.raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _template(service).backup(self.raw)
        self.raw.create_function("orderflow_now", 0, world.time)
        self.turn = Lock(world.scheduler)

    def rows(self, statement: str) -> list[Any]:
        """What is committed, for whoever checks; only while no transaction is open."""
        return self.raw.execute(statement).fetchall()


class Wire:
    """One process's connection to a store, as the driver's own look like."""

    isolation_level = None

    def __init__(self, store: Store, process: Process) -> None:
        self.store, self.process = store, process
        self.open = False  # in a transaction, and so holding the turn
        self.writes = False

    def cursor(self) -> Cursor:
        """A cursor whose statements are places where others may come first."""
        made = self.store.raw.cursor(Cursor)
        made.wire = self
        return made

    def begin(self) -> None:
        """Wait for the turn."""
        self.store.world.injector.at("begin", self.store.service)
        self.store.turn.acquire()
        self.open = True

    def commit(self) -> None:
        """Commit, and let everybody see; before it and after it the connection may break."""
        if not self.open:
            return
        fault = self.store.world.injector.at("commit", self.store.service)
        if fault == "commit lost":
            self.rollback()
            raise sqlite3.ProgrammingError(BROKEN_OFF)
        self.store.raw.commit()
        self.store.world.committed(self.store.service)
        self._end()
        if self.store.world.injector.at("committed", self.store.service) == "commit unknown":
            raise sqlite3.ProgrammingError(BROKEN_OFF)

    def rollback(self) -> None:
        """Undo what is not committed; also what a dead process leaves behind."""
        if self.open:
            self.store.raw.rollback()
            self._end()

    def close(self) -> None:
        """Give the turn back."""
        self.rollback()

    def create_function(self, *_: Any, **__: Any) -> None:
        """The store has its functions already."""

    def _end(self) -> None:
        self.open = False
        self.store.turn.release()


class Cursor(sqlite3.Cursor):
    """Statements that may fail, or be overtaken."""

    wire: Wire

    def execute(self, statement: str, parameters: Any = ()) -> Cursor:
        """Run one statement."""
        self._before(statement)
        super().execute(statement, parameters)
        return self

    def executemany(self, statement: str, parameters: Any) -> Cursor:
        """Run one statement for each set of parameters."""
        self._before(statement)
        super().executemany(statement, parameters)
        return self

    def _before(self, statement: str) -> None:
        if statement.startswith("BEGIN"):
            self.wire.begin()
            self.wire.writes = statement != "BEGIN"
        elif self.wire.open and self.wire.writes:
            fault = self.wire.store.world.injector.at("sql", self.wire.store.service)
            if fault == "deadlock":
                raise Deadlock("deadlock detected")


@cache
def _template(service: str) -> sqlite3.Connection:
    """A database with this service's tables, made once."""
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: made, poolclass=NullPool)
    # NullPool closes what it is done with; this one is kept for copies.
    keeper = engine.connect()
    schema.fill_if_empty(keeper, service, import_module(f"{service}.models").metadata)
    keeper.commit()
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    made.backup(copy)
    keeper.close()
    return copy


class SimulatedDatabase(Database):
    """Production's transactions over a store; the engine, with its compiled statements, serves every run."""

    def __init__(self, service: str, connect: Callable[[], Wire]) -> None:
        super().__init__(service)
        self._connect = connect

    @property
    def engine(self) -> Engine:
        """One engine for each service, in whatever world we are."""
        _WIRES[self.service] = self._connect
        return _engine(self.service)

    def close(self) -> None:
        """Nothing is kept open."""


_WIRES: dict[str, Callable[[], Wire]] = {}


@cache
def _engine(service: str) -> Engine:
    made = create_engine("sqlite://", creator=lambda: _WIRES[service](), poolclass=NullPool)
    event.listen(made, "begin", begin_sqlite)
    return made

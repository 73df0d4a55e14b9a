"""The simulated databases: real SQL on SQLite in memory, one for each service, shared by its instances.

A connection is production's own SQLAlchemy engine over a driver that knows the scheduler: at BEGIN it waits for its turn,
before each statement, before the commit and after it others may come first, and something may break.  Transactions of
one database are serial here; in :mod:`lab.simulation.crossing` they cross, as PostgreSQL's do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, MetaData, NullPool, create_engine

from lab.simulation.beginning import begin_by_the_driver
from lab.simulation.scheduler import Process
from lab.simulation.waiting import Lock
from lab.simulation.wire import Wire
from patterns import schema
from patterns.database import Database
from patterns.many import know_many

if TYPE_CHECKING:
    from lab.simulation.world import World


class Store:
    """One service's database: what is committed survives every process."""

    serial = True
    driver = "sqlite"

    def __init__(self, world: World, service: str) -> None:
        self.world, self.service = world, service
        self.raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.template().backup(self.raw)
        self.raw.create_function("orderflow_now", 0, lambda: world.time() + self.skew)
        self.turn = Lock(world.scheduler)
        self.skew = 0.0  # how wrong its clock is
        self.holder: Wire | None = None
        self.down_until = 0.0

    def template(self) -> sqlite3.Connection:
        """Its tables, with nothing in them."""
        return made_once(self.service, _as_it_is)

    def connect(self, process: Process) -> Wire:
        """A connection of this process."""
        return Wire(self, process)

    @property
    def busy(self) -> bool:
        """Whether a transaction is open."""
        return self.turn.held

    def go_down(self, seconds: float) -> None:
        """The database crashes: open transactions are gone, their connections broken; it comes back after a while."""
        self.down_until = max(self.down_until, self.world.scheduler.now + seconds)
        self.break_connections()

    def break_connections(self) -> None:
        """Every transaction that is open is gone."""
        if self.holder is not None:
            self.holder.broken = True
            self.holder.rollback()

    def rows(self, statement: str) -> list[Any]:
        """What is committed, for whoever checks; only while no transaction is open."""
        return self.raw.execute(statement).fetchall()


def _as_it_is(service: str) -> MetaData:
    metadata: MetaData = import_module(f"{service}.models").metadata
    return metadata


def _nothing(raw: sqlite3.Connection, service: str) -> None:
    """These tables need nothing else."""


@cache
def made_once(
    service: str, tables: Callable[[str], MetaData], finish: Callable[[sqlite3.Connection, str], None] = _nothing
) -> sqlite3.Connection:
    """A database with this service's tables, to be copied."""
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: made, poolclass=NullPool)
    # NullPool closes what it is done with; this one is kept for copies.
    keeper = engine.connect()
    schema.fill_if_empty(keeper, service, tables(service))
    keeper.commit()
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    made.backup(copy)
    keeper.close()
    finish(copy, service)
    return copy


class SimulatedDatabase(Database):
    """Production's transactions over a store; the engine, with its compiled statements, serves every run."""

    def __init__(self, store: Store, process: Process) -> None:
        super().__init__(store.service)
        self._store, self._process = store, process

    @property
    def engine(self) -> Engine:
        """One engine for each service, in whatever world we are."""
        _WIRES[self.service] = partial(self._store.connect, self._process)
        return _engine(self.service, self._store.driver)

    @property
    def one_writer(self) -> bool:
        """Whether transactions come one after another."""
        return self._store.serial

    def close(self) -> None:
        """Nothing is kept open."""


_WIRES: dict[str, Callable[[], Wire]] = {}


@cache
def _engine(service: str, driver: str) -> Engine:
    made = create_engine(f"{driver}://", creator=lambda: _WIRES[service](), poolclass=NullPool)
    begin_by_the_driver(made)
    know_many(made)
    return made

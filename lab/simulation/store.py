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

from lab.simulation.waiting import Lock
from lab.simulation.wire import Wire
from patterns import schema
from patterns.database import Database
from patterns.engine import begin_sqlite
from patterns.many import know_many

if TYPE_CHECKING:
    from lab.simulation.world import World


class Store:
    """One service's database: what is committed survives every process."""

    def __init__(self, world: World, service: str) -> None:
        self.world, self.service = world, service
        self.raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _template(service).backup(self.raw)
        self.raw.create_function("orderflow_now", 0, lambda: world.time() + self.skew)
        self.turn = Lock(world.scheduler)
        self.skew = 0.0  # how wrong its clock is
        self.holder: Wire | None = None
        self.down_until = 0.0

    @property
    def busy(self) -> bool:
        """Whether a transaction is open."""
        return self.turn.held

    def go_down(self, seconds: float) -> None:
        """The database crashes: open transactions are gone, their connections broken; it comes back after a while."""
        self.down_until = max(self.down_until, self.world.scheduler.now + seconds)
        if self.holder is not None:
            self.holder.broken = True
            self.holder.rollback()

    def rows(self, statement: str) -> list[Any]:
        """What is committed, for whoever checks; only while no transaction is open."""
        return self.raw.execute(statement).fetchall()


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
    know_many(made)
    return made

"""The simulated databases: real SQL on SQLite in memory, one for each service, shared by its instances.

A connection is production's own session over a driver that knows the scheduler: at BEGIN it waits for its turn, before
each statement, before the commit and after it others may come first, and something may break.  Transactions of
one database are serial here; in :mod:`lab.simulation.crossing` they cross, as PostgreSQL's do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Engine, NullPool, create_engine

from lab.simulation.kept import as_it_is, give_back, lend, made_once
from lab.simulation.scheduler import Process
from lab.simulation.waiting import Lock
from lab.simulation.wire import Wire
from patterns.database import Database
from patterns.quick_sqlite import QuickSQLite

if TYPE_CHECKING:
    from lab.simulation.world import World


class Store:
    """One service's database: what is committed survives every process."""

    serial = True
    driver = "sqlite"

    def __init__(self, world: World, service: str) -> None:
        self.world, self.service = world, service
        self._kept = lend(self.template())
        self.raw = self._kept.raw
        self.answer("orderflow_now", 0, lambda: world.time() + self.skew)
        self.turn = Lock(world.scheduler)
        self.skew = 0.0  # how wrong its clock is
        self.holder: Wire | None = None
        self.down_until = 0.0

    def template(self) -> sqlite3.Connection:
        """Its tables, with nothing in them."""
        return made_once(self.service, as_it_is)

    def answer(self, name: str, arguments: int, answer: Callable[..., Any]) -> None:
        """Have this function in SQL be this one."""
        self._kept.answer(name, arguments, answer)

    def give_back(self) -> None:
        """This run is over and nobody looks at it any more; its database serves another."""
        del self.raw
        give_back(self.template(), self._kept)

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


class OnWire(QuickSQLite):
    """Production's session over a driver that knows the scheduler: whatever it has the driver do is a place."""

    def begin(self) -> None:
        """Begin, and tell the driver whether each statement is a transaction of its own."""
        cast("Wire", self.driver).at_once = self._at_once
        super().begin()


class SimulatedDatabase(Database):
    """Production's transactions over a store; the engine, with its compiled statements, serves every run."""

    session_type = OnWire

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
    return create_engine(f"{driver}://", creator=lambda: _WIRES[service](), poolclass=NullPool)

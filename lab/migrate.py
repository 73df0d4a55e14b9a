"""Bring every service's tables to where its code wants them, and say where they stood."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from sqlalchemy import MetaData

from lab.books import database_of
from patterns import schema
from patterns.database import Database
from patterns.errors import DatabaseUnavailable


@dataclass(frozen=True)
class Migrated:
    """One service: where its database stood (``current``, ``state``), and where it stands now."""

    service: str
    current: str | None
    head: str
    state: schema.State
    now: str | None

    @property
    def well(self) -> bool:
        """Whether the code finds the tables it wants."""
        return self.now == self.head

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def look(services: Sequence[str], wait: float) -> list[Migrated]:
    """Where each database stands; nothing is changed."""
    return [_patiently(_look, service, wait) for service in services]


def migrate(services: Sequence[str], wait: float) -> list[Migrated]:
    """Migrate each database that needs it, one transaction each; several of us may run at once.

    A database that is away, or whose tables others hold, is tried again for ``wait`` seconds.  Raises SchemaMismatch
    for one that is newer than this code.
    """
    return [_patiently(_migrate, service, wait) for service in services]


def _look(database: Database, metadata: MetaData) -> Migrated:
    found = database.read(schema.standing, database.service, metadata)
    return _migrated(database, found, found.current if found else None)


def _migrate(database: Database, metadata: MetaData) -> Migrated:
    found = database.alone(schema.bring_up_to_date, database.service, metadata)
    return _migrated(database, found, found.head if found else None)


def _migrated(database: Database, found: schema.Standing | None, now: str | None) -> Migrated:
    assert found is not None, f"{database.service} has no migrations"  # noqa: S101 (tests/house sees to it)
    return Migrated(found.service, found.current, found.head, found.state, now)


def _patiently(work: Any, service: str, wait: float) -> Migrated:
    database, metadata = database_of(service), import_module(f"{service}.models").metadata
    until = time.monotonic() + wait
    try:
        while True:
            try:
                done: Migrated = work(database, metadata)
                return done
            except DatabaseUnavailable:
                if time.monotonic() >= until:
                    raise
            time.sleep(0.5)
    finally:
        database.close()

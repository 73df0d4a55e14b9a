"""When all connections to a database are in use, the database is away for a while, as far as whoever asks can tell.

Found by the simulation (fault "pool exhausted"): SQLAlchemy's own TimeoutError came through; a client was answered 500
instead of 503, and a message counted as failed, so that an hour of a slow database would have parked healthy ones.
"""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from patterns.database import Database, Session
from patterns.errors import DatabaseUnavailable


def one(session: Session) -> object:
    return session.execute(text("SELECT 1")).scalar_one()


def test_who_gets_no_connection_is_told_that_the_database_is_away() -> None:
    database = Database("user")
    database._engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0)
    with database.engine.connect():
        with pytest.raises(DatabaseUnavailable, match="in use"):
            database.transact(one)
        with pytest.raises(DatabaseUnavailable, match="in use"):
            database.read(one)
    assert database.read(one) == 1
    database.close()

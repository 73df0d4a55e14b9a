"""One service's transactions, on a SQLite file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from patterns.database import Database


def put(session: Connection, name: str) -> None:
    session.execute(text("INSERT INTO names VALUES (:name)"), {"name": name})


def fail(session: Connection) -> None:
    put(session, "nobody")
    raise RuntimeError("after the insert")


def test_what_is_committed_is_counted_by_its_work_and_nothing_else_is(tmp_path: Path) -> None:
    database = Database("user", f"sqlite:///{tmp_path / 'user.db'}")
    database.transact(lambda session: session.execute(text("CREATE TABLE names (name TEXT)")))
    database.transact(put, "Ada")
    database.transact(put, "Grace")
    with pytest.raises(RuntimeError):
        database.transact(fail)
    assert database.read(lambda session: session.execute(text("SELECT count(*) FROM names")).scalar_one()) == 2
    assert database.commits == Counter({"<lambda>": 1, "put": 2})
    database.close()

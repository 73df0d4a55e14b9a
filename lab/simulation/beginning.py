"""How the simulated databases' engines begin a transaction: with as little of SQLAlchemy as can be.

Production's engines for SQLite have a listener that executes BEGIN (:func:`patterns.engine.begin_sqlite`).  An engine with a
listener asks at every step of every statement who listens, a tenth of all that a run does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine


def begin_by_the_driver(engine: Engine) -> None:
    """Let the driver's BEGIN say whether a transaction reads or writes, as ``begin_sqlite`` does by a statement."""
    dialect = engine.dialect
    options = dialect.set_connection_execution_options

    def note(connection: Connection, given: Mapping[str, Any]) -> None:
        options(connection, given)
        if "orderflow_read" in given:
            connection.connection.info["reads"] = given["orderflow_read"]

    def begin(connection: Any) -> None:
        connection.cursor().execute("BEGIN" if connection.info.pop("reads", False) else "BEGIN IMMEDIATE")

    vars(dialect).update(set_connection_execution_options=note, do_begin=begin)

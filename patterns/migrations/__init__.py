"""Change a service's tables, migration by migration, with Alembic.

The files of a service are in its own folder ``migrations``; ``env.py`` here is what Alembic runs for each of them.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect
from sqlalchemy.exc import DBAPIError, OperationalError

from patterns.errors import SchemaMismatch
from patterns.quick import plain
from patterns.schema import migrations_of

_one_at_a_time = threading.Lock()
"""Alembic keeps what it works on in module globals (``alembic.op``, ``alembic.context``)."""


def config_for(service: str, connection: Connection, metadata: MetaData) -> Config:
    """Alembic's view of one service; its commands work on this connection, in the transaction that is open."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("version_locations", str(migrations_of(service)).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes.update(connection=connection, metadata=metadata)
    return config


def upgrade(connection: Connection, service: str, metadata: MetaData, *, to: str = "head") -> None:
    """Run the migrations that this database has not seen, in the caller's transaction.

    Raises SchemaMismatch, and the caller rolls back, when one of them fails.
    """
    try:
        with _one_at_a_time:
            command.upgrade(config_for(service, connection, metadata), to)
    except DBAPIError as error:
        if isinstance(error, OperationalError) and connection.dialect.name != "sqlite":
            raise  # the server is in trouble; SQLite says so of a column that is there already
        raise _stuck(service, str(error.orig).splitlines()[:1]) from error


def take_over(connection: Connection, service: str, metadata: MetaData) -> None:
    """Bring tables up to date that no migration has marked: those of the first days, or the models' own.

    Raises SchemaMismatch, and the caller rolls back, unless the outcome is what the models say.
    """
    if not differences(connection, metadata):
        with _one_at_a_time:
            command.stamp(config_for(service, connection, metadata), "head")
        return
    upgrade(connection, service, metadata)
    if wrong := differences(connection, metadata):
        raise _stuck(service, wrong)


def _stuck(service: str, wrong: list[str]) -> SchemaMismatch:
    return SchemaMismatch(
        f"The {service} database cannot be brought up to date, and is as it was: {'; '.join(wrong[:3])}. Its tables were "
        "changed by hand, or are older than every migration. Mend them, or move them away (embedded: `orderflow reset`)."
    )


def differences(connection: Connection, metadata: MetaData) -> list[str]:
    """What the models have and the database has not, or has otherwise; what it has besides is nobody's business."""
    connection = plain(connection)
    found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    flat = [one for change in found for one in (change if isinstance(change, list) else [change])]
    missing = [_said(change) for change in flat if not str(change[0]).startswith("remove_")]
    if missing:
        return missing
    return [
        f"no constraint {check.name} on {table.name}"
        for table in metadata.sorted_tables
        for check in table.constraints
        if check.__visit_name__ == "check_constraint" and check.name not in _checks(connection, table.name)
    ]


def _checks(connection: Connection, table: str) -> set[Any]:
    return {check["name"] for check in inspect(connection).get_check_constraints(table)}


def _said(change: tuple[Any, ...]) -> str:
    names = [getattr(part, "name", part) for part in change[1:4]]
    return " ".join([str(change[0]).replace("_", " "), *(str(name) for name in names if isinstance(name, str))])

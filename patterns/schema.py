"""Are a service's tables those that its code wants?  Said before it starts; changed by ``orderflow migrate``.

::

    empty        nothing is there          made at once from the models, and marked with the newest migration
    current      as the code wants it      nothing to do
    older        made by older code        migrated: SQLite files when they are opened, PostgreSQL by ``orderflow migrate``
    unmarked     older still: no mark      the same
    newer        made by newer code        refused

The migrations of a service are files in its folder ``migrations``, named by their numbers: ``0002_index_orders.py``.  The
highest number is what the code wants; the number a database is at stands in its table ``alembic_version``, as Alembic
writes it.  A service without that folder has its missing tables made, and nothing else is said about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select
from sqlalchemy.exc import ProgrammingError

from patterns.database import Database, Session
from patterns.errors import SchemaMismatch
from patterns.quick import plain

State = Literal["empty", "current", "older", "unmarked", "newer"]

mark = Table(
    "alembic_version", MetaData(),
    Column("version_num", String(32), nullable=False), PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table (https://alembic.sqlalchemy.org/en/latest/api/migration.html), made by us for an empty database."""


@dataclass(frozen=True)
class Standing:
    """Where a database stands: ``current`` is its migration, ``head`` the one its code wants."""

    service: str
    current: str | None
    head: str
    state: State


def migrations_of(service: str) -> Path | None:
    """The folder with a service's migrations, if it has one."""
    package = find_spec(service) if service.isidentifier() else None
    folders = [Path(place) / "migrations" for place in (package and package.submodule_search_locations) or ()]
    return next((folder for folder in folders if folder.is_dir()), None)


def numbers(folder: Path) -> list[str]:
    """The numbers of the migrations in a folder, in order."""
    return sorted(path.stem.partition("_")[0] for path in folder.glob("[0-9]*_*.py"))


def standing(session: Session, service: str, metadata: MetaData) -> Standing | None:
    """Where this database stands; None for a service without migrations."""
    folder = migrations_of(service)
    if folder is None:
        return None
    known = numbers(folder)
    tables = set(inspect(plain(session)).get_table_names())
    current = session.execute(select(mark.c.version_num)).scalar() if mark.name in tables else None
    return Standing(service, current, known[-1], _state(current, known, bool(tables & metadata.tables.keys())))


def _state(current: str | None, known: list[str], tables: bool) -> State:
    if current is None:
        return "unmarked" if tables else "empty"
    if current == known[-1]:
        return "current"
    return "older" if current in known else "newer"


def prepare(database: Database, metadata: MetaData) -> None:
    """See to it that the tables are there as the code wants them, when a service starts.

    Instances that start at once wait for each other.  Raises SchemaMismatch, which says what to run.
    """
    found = database.read(standing, database.service, metadata)
    if found is None:
        database.create_tables(metadata)
    elif found.state != "current":
        own_file = database.engine.dialect.name == "sqlite"
        try:
            database.alone(bring_up_to_date if own_file else fill_if_empty, database.service, metadata)
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) != "42501":  # insufficient_privilege
                raise
            raise SchemaMismatch(
                f"The {database.service} database is empty, and this service's role may not make tables. {_run(found)}"
            ) from error


def fill_if_empty(session: Session, service: str, metadata: MetaData) -> None:
    """Make all tables in an empty database.  Raises SchemaMismatch when others than the code's are there."""
    found = standing(session, service, metadata)
    if found is None or found.state == "current":
        return
    if found.state != "empty":
        raise SchemaMismatch(_mismatch(found))
    metadata.create_all(session)
    mark.create(session, checkfirst=True)
    session.execute(insert(mark).values(version_num=found.head))


def bring_up_to_date(session: Session, service: str, metadata: MetaData) -> Standing | None:
    """Make the tables, or change them step by step; answers how things stood before.

    Raises SchemaMismatch when the database is newer than the code, or older than every migration.
    """
    found = standing(session, service, metadata)
    if found is None:
        metadata.create_all(session)
    elif found.state in ("older", "unmarked"):
        from patterns.migrations import take_over, upgrade  # only here: Alembic need not be loaded to find all well

        (upgrade if found.state == "older" else take_over)(session, service, metadata)
    else:
        fill_if_empty(session, service, metadata)
    return found


def _mismatch(found: Standing) -> str:
    if found.state == "newer":
        return (
            f"The {found.service} database is at migration {found.current}, and this code knows them up to {found.head}: "
            "newer code was here. Run that, or restore a backup; there is no way down."
        )
    was = f"at migration {found.current}" if found.current else "of a time before migrations were counted"
    return f"The {found.service} database is {was}, and this code needs {found.head}. {_run(found)}"


def _run(found: Standing) -> str:
    return f"Run `orderflow migrate {found.service}`, then start again."

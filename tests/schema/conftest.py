from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from lab.servers import Databases
from patterns.database import Database
from patterns.engine import sqlite_url

#: A service of our own, with a past: its spaces had no colour at first.
NAME = "parking"
MIGRATIONS = {
    "0001_spaces": 'op.create_table("spaces", sa.Column("id", sa.Integer(), primary_key=True), if_not_exists=True)',
    "0002_colours": 'op.add_column("spaces", sa.Column("colour", sa.String(20)))',
    "0003_find_colours": 'op.create_index("spaces_by_colour", "spaces", ["colour"])',
}


def spaces(*more: Column[str]) -> MetaData:
    """The tables of the parking service: at first, or with what was added later."""
    metadata = MetaData()
    Table("spaces", metadata, Column("id", Integer, primary_key=True), *more)
    return metadata


class Parking:
    """A service with three migrations, and one empty database for it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database = folder, database
        self.first, self.metadata = spaces(), spaces(Column("colour", String(20), index=False))
        for number, what in MIGRATIONS.items():
            self.write(number, what)

    def write(self, name: str, what: str) -> None:
        """Write one migration."""
        number = name.partition("_")[0]
        before = None if number == "0001" else f"{int(number) - 1:04d}"
        (self.folder / f"{name}.py").write_text(
            textwrap.dedent(f"""
                import sqlalchemy as sa
                from alembic import op
                revision, down_revision = {number!r}, {before!r}
                def upgrade():
                    {what}
            """)
        )


@pytest.fixture
def parking_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / NAME / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    """Makes empty databases for services: SQLite files, or on a real PostgreSQL."""
    made: list[Database] = []

    def sqlite(service: str) -> Database:
        made.append(Database(service, sqlite_url(tmp_path / str(len(made)), service)))
        return made[-1]

    def postgresql(service: str) -> Database:
        url = databases.fresh((service,))
        request.addfinalizer(lambda: databases.drop(url))
        made.append(Database(service, url.replace("{service}", service).replace("postgresql:", "postgresql+psycopg:")))
        return made[-1]

    if request.param == "postgresql":
        databases: Databases = request.getfixturevalue("databases")
    yield sqlite if request.param == "sqlite" else postgresql
    for database in made:
        database.close()


@pytest.fixture
def parking(parking_folder: Path, empty: Callable[[str], Database]) -> Parking:
    return Parking(parking_folder, empty(NAME))

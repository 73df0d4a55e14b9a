"""A service's models and its migrations say the same; its tables come to be, and change, without losing a row."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, text

from lab.books import open_books
from lab.promises import check
from patterns import schema
from patterns.database import Database, Session
from patterns.errors import SchemaMismatch
from patterns.migrations import config_for, differences, upgrade
from patterns.quick import plain
from patterns.shop import SERVICES
from tests.schema.catalog import catalog
from tests.schema.conftest import Parking
from tests.schema.old_shop import make_old_shop


def models(service: str) -> MetaData:
    metadata: MetaData = import_module(f"{service}.models").metadata
    return metadata


def marked(session: Session) -> str | None:
    """Which migration Alembic itself finds the database at."""
    return MigrationContext.configure(plain(session)).get_current_revision()


def run(database: Database, *commands: str) -> list[Any]:
    """Run commands in one transaction; answers the rows of the last."""

    def work(session: Session) -> list[Any]:
        for command in commands[:-1]:
            session.execute(text(command))
        result = session.execute(text(commands[-1]))
        return list(result) if result.returns_rows else []

    return database.transact(work)


def state(database: Database, metadata: MetaData) -> str:
    found = database.read(schema.standing, database.service, metadata)
    assert found is not None
    return found.state


# The six services


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_are_numbered_one_after_another(service: str) -> None:
    folder = schema.migrations_of(service)
    assert folder is not None
    numbers = schema.numbers(folder)
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    script = ScriptDirectory.from_config(config_for(service, None, models(service)))
    order = [(one.revision, one.down_revision, Path(one.path).name[:4]) for one in script.walk_revisions()]
    assert order == [(number, numbers[at - 1] if at else None, number) for at, number in reversed(list(enumerate(numbers)))]


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_alone_make_the_tables_of_the_models(service: str, empty: Callable[[str], Database]) -> None:
    """If this fails you changed a model: `python -m lab.migration SERVICE "what changed"` drafts its migration."""
    by_migrations, by_models = empty(service), empty(service)
    by_migrations.alone(upgrade, service, models(service))
    by_models.create_tables(models(service))
    assert by_migrations.read(catalog) == by_models.read(catalog)
    assert by_migrations.read(differences, models(service)) == []


@pytest.mark.parametrize("service", SERVICES)
def test_an_empty_database_is_made_and_marked_at_once(service: str, empty: Callable[[str], Database]) -> None:
    database = empty(service)
    assert state(database, models(service)) == "empty"
    schema.prepare(database, models(service))
    assert state(database, models(service)) == "current"
    folder = schema.migrations_of(service)
    assert folder is not None and database.read(marked) == schema.numbers(folder)[-1]
    schema.prepare(database, models(service))  # and once more: nothing to do
    database.alone(upgrade, service, models(service))  # Alembic has nothing to do either


def test_a_shop_of_the_first_days_is_brought_up_to_date_with_its_books(empty: Callable[[str], Database]) -> None:
    databases = {service: empty(service) for service in SERVICES}
    order = make_old_shop(databases.__getitem__)
    for service, database in databases.items():
        assert state(database, models(service)) == "unmarked"
        database.alone(schema.bring_up_to_date, service, models(service))
        assert state(database, models(service)) == "current"
        assert database.read(differences, models(service)) == []
    books = open_books(databases.__getitem__)
    assert [promise for promise in check(books) if promise.broken] == []
    assert books.orders[order].status == "SUCCESS" and books.holds[order].begun_at == 1000.0
    news = run(databases["notification"], "SELECT count(*), count(DISTINCT id) FROM notifications WHERE kind <> ''")
    assert news == [(2, 2)]


@pytest.mark.parametrize("service", SERVICES)
def test_the_tables_of_now_without_a_mark_are_marked(service: str, empty: Callable[[str], Database]) -> None:
    database = empty(service)
    database.create_tables(models(service))
    database.alone(schema.bring_up_to_date, service, models(service))
    assert state(database, models(service)) == "current"


# A service with a past


def at_first(parking: Parking) -> None:
    """The parking service's tables as they were at first, with a row in them."""
    parking.database.alone(upgrade, "parking", parking.first, to="0001")
    run(parking.database, "INSERT INTO spaces (id) VALUES (7)")


def test_older_tables_are_migrated_and_keep_their_rows(parking: Parking) -> None:
    at_first(parking)
    assert state(parking.database, parking.metadata) == "older"
    before = parking.database.alone(schema.bring_up_to_date, "parking", parking.metadata)
    assert before is not None and before.current == "0001"
    assert run(parking.database, "SELECT id, colour FROM spaces") == [(7, None)]
    assert parking.database.read(marked) == "0003"


def test_several_may_migrate_at_once(parking: Parking) -> None:
    at_first(parking)
    others = [Database("parking", parking.database.engine.url) for _ in range(6)]
    found: list[Any] = []

    def migrate(one: Database) -> None:
        found.append(one.alone(schema.bring_up_to_date, "parking", parking.metadata))

    threads = [threading.Thread(target=migrate, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    assert sorted(one.current for one in found) == ["0001", *["0003"] * 5]


def test_a_migration_that_fails_leaves_everything_as_it_was(parking: Parking) -> None:
    at_first(parking)
    parking.write("0003_find_colours", 'op.create_index("spaces_by_colour", "spaces", ["no_such_column"])')
    with pytest.raises(SchemaMismatch, match=r"cannot be brought up to date, and is as it was: .*no_such_column"):
        parking.database.alone(schema.bring_up_to_date, "parking", parking.metadata)
    assert parking.database.read(marked) == "0001"
    assert run(parking.database, "SELECT * FROM spaces") == [(7,)]


def test_a_service_migrates_its_own_file_but_not_a_server(parking: Parking) -> None:
    at_first(parking)
    if parking.database.engine.dialect.name == "sqlite":
        schema.prepare(parking.database, parking.metadata)
        assert state(parking.database, parking.metadata) == "current"
        return
    with pytest.raises(SchemaMismatch, match=r"at migration 0001, .* needs 0003\. Run `orderflow migrate parking`"):
        schema.prepare(parking.database, parking.metadata)
    assert state(parking.database, parking.metadata) == "older"


def test_unmarked_tables_are_taken_over_or_refused_likewise(parking: Parking) -> None:
    parking.database.create_tables(parking.first)
    run(parking.database, "INSERT INTO spaces (id) VALUES (7)")
    if parking.database.engine.dialect.name == "sqlite":
        schema.prepare(parking.database, parking.metadata)
        assert run(parking.database, "SELECT id, colour FROM spaces") == [(7, None)]
        return
    with pytest.raises(SchemaMismatch, match="of a time before migrations were counted"):
        schema.prepare(parking.database, parking.metadata)


def test_unmarked_tables_that_fit_no_migration_are_refused_unchanged(parking: Parking) -> None:
    run(parking.database, "CREATE TABLE spaces (number INTEGER PRIMARY KEY)", "INSERT INTO spaces VALUES (7)")
    with pytest.raises(SchemaMismatch, match="and is as it was: add column spaces id"):
        parking.database.alone(schema.bring_up_to_date, "parking", parking.metadata)
    assert run(parking.database, "SELECT * FROM spaces") == [(7,)]
    assert state(parking.database, parking.metadata) == "unmarked"


def test_unmarked_tables_on_which_a_migration_fails_are_refused_unchanged(parking: Parking) -> None:
    """Such as tables somebody changed by hand."""
    run(parking.database, "CREATE TABLE spaces (colour VARCHAR(20))")
    with pytest.raises(SchemaMismatch, match=r"and is as it was: .*colour"):
        parking.database.alone(schema.bring_up_to_date, "parking", parking.metadata)
    assert state(parking.database, parking.metadata) == "unmarked"


@pytest.mark.parametrize("opening", [schema.prepare, lambda *of: of[0].alone(schema.bring_up_to_date, "parking", of[1])])
def test_newer_tables_are_refused(parking: Parking, opening: Callable[..., Any]) -> None:
    schema.prepare(parking.database, parking.metadata)
    run(parking.database, "UPDATE alembic_version SET version_num = '0004'")
    with pytest.raises(SchemaMismatch, match=r"at migration 0004, and this code knows them up to 0003: newer code was here"):
        opening(parking.database, parking.metadata)


def test_without_migrations_missing_tables_are_made(empty: Callable[[str], Database], parking: Parking) -> None:
    database = empty("email")  # as it is called in the standard library: a package, and not one of ours
    schema.prepare(database, parking.first)
    run(database, "INSERT INTO spaces (id) VALUES (7)")
    schema.prepare(database, parking.first)
    assert database.read(schema.standing, "email", parking.first) is None

"""Are the databases there, as the code wants them, and do they keep what they promise?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import import_module

from sqlalchemy import CheckConstraint, MetaData, UniqueConstraint, func, inspect, select, text

from lab.books import database_of
from lab.doctor.findings import Finding, ok, unreachable, warning, wrong
from patterns.database import Database, Session, now
from patterns.errors import DatabaseUnavailable
from patterns.journal import outbox
from patterns.quick import plain
from patterns.schema import Standing, standing
from patterns.settings import settings

PART = "databases"
MIGRATIONS = "docs/migrations.md"
APART = 2.0
"""Seconds a database's clock may be off before people wonder; nothing in the shop compares the two."""
STUCK = 60.0
"""Seconds after which a message still unsent is no longer on its way: the relay tries every 30 s at the latest."""
SERVER = {
    "default_transaction_isolation": (
        ("read committed",), "guards are judged by their row count, for which every other level repeats transactions",
    ),
    "fsync": (("on",), "what was committed is lost when the machine loses power"),
    "full_page_writes": (("on",), "a power cut can leave pages half written"),
    "synchronous_commit": (
        ("on", "local", "remote_write", "remote_apply"),
        "the last commits are lost in a crash, and a message acknowledged after them never comes again",
    ),
}
"""What a PostgreSQL must be set to, and what happens otherwise (https://www.postgresql.org/docs/current/runtime-config.html)."""


def databases(services: list[str]) -> Iterator[Finding]:
    """Each service's database in turn, then the servers they are on."""
    reached, absent = [], []
    for service in services:
        if not settings().database_url and not (settings().orderflow_home / f"{service}.db").exists():
            absent.append(f"{service}.db")
            continue
        database = database_of(service)
        try:
            yield from _one(service, database)
            reached.append(service)
        except DatabaseUnavailable as error:
            yield unreachable(PART, f"{service}: {error}", "Is DATABASE_URL right, and is PostgreSQL running?")
        finally:
            database.close()
    if absent:
        where = f"{', '.join(absent)} in {settings().orderflow_home}"
        yield warning(PART, f"Not there yet: {where}.", "orderflow run (or serve) makes them.")
    if reached and settings().database_url:
        yield from _server(database_of(reached[0]))


def _one(service: str, database: Database) -> Iterator[Finding]:
    metadata: MetaData = import_module(f"{service}.models").metadata
    stands = database.read(standing, service, metadata)
    if stands is not None and stands.state != "current":
        yield _not_current(stands)
    elif lacking := database.read(_lacking, metadata):
        advice = "Somebody changed it by hand: change it back, as the migrations in the service's folder have it."
        yield wrong(PART, f"{service} lacks {'; '.join(lacking)}.", advice, MIGRATIONS)
    else:
        yield ok(PART, f"{service}: {len(metadata.tables)} tables with their columns, keys, constraints and indexes.")
        yield from _unsent(service, database)
    yield from _clock(service, database)


def _not_current(stands: Standing) -> Finding:
    at = f"{stands.service} is {stands.state}: at migration {stands.current or 'none'}, its code wants {stands.head}."
    if stands.state == "newer":
        return wrong(PART, at, "Newer code was here: run that, or restore a backup.", MIGRATIONS)
    if stands.state == "empty" or not settings().database_url:
        return warning(PART, at, "Starting the service brings it up to date; so does orderflow migrate.", MIGRATIONS)
    return wrong(PART, f"{at}  The service refuses to start.", f"Run orderflow migrate {stands.service}.", MIGRATIONS)


def _lacking(session: Session, metadata: MetaData) -> list[str]:
    """Tables, columns and named constraints that the code wants and the database has not."""
    have = inspect(plain(session))
    found = []
    tables = set(have.get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in tables:
            found.append(f"table {table.name}")
            continue
        key = have.get_pk_constraint(table.name)["constrained_columns"]
        if set(key) != {column.name for column in table.primary_key.columns}:
            found.append(f"primary key of {table.name}")
        columns = {column["name"] for column in have.get_columns(table.name)}
        found += [f"column {table.name}.{column.name}" for column in table.columns if column.name not in columns]
        named = {one["name"] for one in (*have.get_check_constraints(table.name), *have.get_unique_constraints(table.name))}
        found += [
            f"constraint {one.name} of {table.name}" for one in table.constraints
            if isinstance(one, CheckConstraint | UniqueConstraint) and one.name and one.name not in named
        ]
        indexed = {one["name"] for one in have.get_indexes(table.name)}
        found += [f"index {index.name} of {table.name}" for index in table.indexes if index.name not in indexed]
    return found


def _unsent(service: str, database: Database) -> Iterator[Finding]:
    """No message waits in the outbox for longer than the relay ever pauses."""
    late = outbox.c.sent_at.is_(None) & (outbox.c.said_at < now() - STUCK)
    counting = select(func.count(), func.min(outbox.c.said_at)).where(late)
    number, oldest = database.read(lambda session: session.execute(counting).one())
    if number:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(oldest))
        yield warning(
            PART, f"{service}: {number} messages in its outbox wait to be sent or answered, the oldest since {since}.",
            f"Is {service} running?  Its /readyz and its log say what keeps them.",
        )


def _clock(service: str, database: Database) -> Iterator[Finding]:
    if not settings().database_url:
        return  # SQLite has this machine's
    before = time.time()
    theirs = database.read(lambda session: float(session.execute(select(now())).scalar_one()))
    apart = theirs - (before + time.time()) / 2
    if abs(apart) > APART:
        yield warning(
            PART, f"{service}: its database's clock is {apart:+.1f} s off this machine's.",
            "Deadlines are kept by the database's clock alone; times in logs will not fit.  Let both follow NTP.",
        )


def _server(database: Database) -> Iterator[Finding]:
    values = database.read(lambda session: {
        name: str(session.execute(text(f"SHOW {name}")).scalar_one()) for name in ("server_version", *SERVER)
    })
    bad = {name: why for name, (right, why) in SERVER.items() if values[name] not in right}
    for name, why in bad.items():
        yield warning(PART, f"PostgreSQL has {name} = {values[name]}: {why}.", f"Set {name} = {SERVER[name][0][0]}.")
    if not bad:
        yield ok(PART, f"PostgreSQL {values['server_version']}: {', '.join(f'{name} {values[name]}' for name in SERVER)}.")

"""``orderflow doctor`` on a real PostgreSQL: tables, constraints, clocks, settings, and messages that nobody sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from lab.books import database_of
from lab.doctor import Finding, Report, Verdict
from lab.doctor.databases import databases
from lab.servers import free_ports
from patterns.database import Database
from patterns.schema import prepare
from patterns.settings import configure
from patterns.shop import SERVICES
from product.models import metadata
from tests.faults.patient import found


@pytest.fixture
def product(database_url: str, tmp_path: Path) -> Iterator[Database]:
    configure(database_url=database_url, orderflow_home=tmp_path)
    database = database_of("product")
    prepare(database, metadata)
    yield database
    database.close()


def examined(*services: str) -> Report:
    return Report("here", list(databases(list(services or ["product"]))))


def do(database: Database, *statements: str) -> None:
    def work(session: Connection) -> None:
        for statement in statements:
            session.execute(text(statement))

    database.transact(work)


def test_a_database_as_the_code_wants_it_is_healthy(product: Database) -> None:
    report = examined()
    assert report.exit_status == 0
    found(report, Verdict.OK, "databases", "product: 5 tables")


def test_empty_databases_are_told(database_url: str, tmp_path: Path) -> None:
    configure(database_url=database_url, orderflow_home=tmp_path)
    report = examined(*SERVICES)
    assert report.exit_status == 0, "whoever starts makes the tables"
    for service in SERVICES:
        found(report, Verdict.WARNING, "databases", f"{service} is empty")


@pytest.mark.parametrize(("sin", "words"), [
    ("DROP TABLE alembic_version", "product is unmarked"),
    ("UPDATE alembic_version SET version_num = '9999'", "product is newer: at migration 9999"),
])
def test_a_database_of_another_time_is_found(product: Database, sin: str, words: str) -> None:
    do(product, sin)
    report = examined()
    found(report, Verdict.WRONG, "databases", words)
    assert report.exit_status == 1


@pytest.mark.parametrize(("sin", "lacking"), [
    ("DROP TABLE reservation_lines", "table reservation_lines"),
    ("ALTER TABLE products DROP COLUMN sold CASCADE", "column products.sold"),
    ("ALTER TABLE products DROP CONSTRAINT goods_are_conserved", "constraint goods_are_conserved of products"),
    ("ALTER TABLE outbox DROP CONSTRAINT outbox_says_it_once", "constraint outbox_says_it_once of outbox"),
    ("ALTER TABLE inbox DROP CONSTRAINT inbox_pkey", "primary key of inbox"),
    ("DROP INDEX outbox_unsent", "index outbox_unsent of outbox"),
])
def test_what_a_database_lacks_is_found(product: Database, sin: str, lacking: str) -> None:
    do(product, sin)
    report = examined()
    found(report, Verdict.WRONG, "databases", lacking)
    assert report.exit_status == 1


def test_messages_that_nobody_sends_are_found(product: Database) -> None:
    columns = "message_id, order_id, type, mode, address, exchange, routing_key, body, headers, correlation_id"
    values = "gen_random_uuid(), gen_random_uuid(), 'T', 'topic', 'a', 'e', 'k', '{}', '{}', 'c'"
    age = "extract(epoch from now()) - 3600, 0, 0"
    do(product, f"INSERT INTO outbox ({columns}, awaits_answer, said_at, due_at, attempts) VALUES ({values}, false, {age})")
    found(examined(), Verdict.WARNING, "databases", "1 messages in its outbox wait")


def test_a_server_that_may_forget_is_found(product: Database) -> None:
    name = product.read(lambda session: session.execute(text("SELECT current_database()")).scalar_one())
    do(
        product, f'ALTER DATABASE "{name}" SET default_transaction_isolation = \'serializable\'',
        f'ALTER DATABASE "{name}" SET synchronous_commit = off',
    )
    product.close()
    report = examined()
    found(report, Verdict.WARNING, "databases", "default_transaction_isolation = serializable")
    found(report, Verdict.WARNING, "databases", "synchronous_commit = off")


def test_a_clock_that_is_off_is_found(product: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    real = time.time
    monkeypatch.setattr("lab.doctor.databases.time.time", lambda: real() + 100)
    found(examined(), Verdict.WARNING, "databases", "clock is -100.0 s off")


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    [port] = free_ports(1)
    configure(database_url=f"postgresql://me:secret@127.0.0.1:{port}/shop_{{service}}", orderflow_home=tmp_path)
    report = examined("user")
    found(report, Verdict.UNREACHABLE, "databases", "user: The database does not answer")
    assert report.exit_status == 2
    assert not any("secret" in str(finding) for finding in report.findings if isinstance(finding, Finding))

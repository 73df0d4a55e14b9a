"""What starts on tables that are not its own version's ends at once, and says in one line what to run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import text

from lab.local import LocalShop
from lab.servers import PrivatePostgres
from lab.servers.ports import free_ports
from patterns import schema
from patterns.database import Database
from patterns.engine import sqlite_url
from patterns.shop import SERVICES
from tests.flows.words import Words
from tests.schema.old_shop import ADA, CHAIR, make_old_shop

ORDERFLOW = [sys.executable, "-c", "from lab.cli import main; main()"]


@contextmanager
def started(command: list[str], **settings: str) -> Iterator[subprocess.Popen[str]]:
    """``orderflow`` in a process of its own; ended, if need be, afterwards."""
    ports = {f"{service.upper()}_PORT": str(port) for service, port in zip(SERVICES, free_ports(6), strict=True)}
    process = subprocess.Popen(
        [*ORDERFLOW, *command], env={**os.environ, **ports, **settings}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(command: list[str], **settings: str) -> tuple[int, str]:
    """How this command ends by itself: its status, and all it says."""
    with started(command, **settings) as process:
        said = process.communicate(timeout=90)[0]
        return process.returncode, said


def order_database(url: str) -> Database:
    return Database("order", url.replace("{service}", "order").replace("postgresql:", "postgresql+psycopg:"))


def marked_as(database: Database, number: str) -> None:
    """Let the tables be there, and marked with this number; with none if it is empty."""
    schema.prepare(database, import_module("order.models").metadata)
    change = text("UPDATE alembic_version SET version_num = :number" if number else "DELETE FROM alembic_version")
    database.transact(lambda session: session.execute(change, {"number": number} if number else {}))
    database.close()


@pytest.mark.real
@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("", "of a time before migrations were counted, and this code needs {head}. Run `orderflow migrate order`, then"),
        ("9999", "at migration 9999, and this code knows them up to {head}: newer code was here. Run that, or restore a"),
    ],
)
def test_a_service_refuses_tables_of_another_version(database_url: str, tmp_path: Path, number: str, said: str) -> None:
    marked_as(order_database(database_url), number)
    settings = {"DATABASE_URL": database_url, "ORDERFLOW_HOME": str(tmp_path)}
    status, words = ended(["serve", "order"], **settings)
    folder = schema.migrations_of("order")
    assert folder is not None
    wanted = said.format(head=schema.numbers(folder)[-1])
    assert status == 1
    assert [line for line in words.splitlines() if line] == [line for line in words.splitlines() if wanted in line], words
    if not number:
        assert ended(["migrate", "--check", "order"], **settings)[0] == 1
        assert ended(["migrate", "order"], **settings)[0] == 0
        assert ended(["migrate", "--check", "order"], **settings)[0] == 0


@pytest.mark.real
def test_a_database_that_comes_later_is_refused_likewise(private_postgres: PrivatePostgres, tmp_path: Path) -> None:
    private_postgres.create_database("late_order")
    url = private_postgres.url("late_{service}")
    marked_as(order_database(url), "9999")
    private_postgres.stop()
    with started(["serve", "order"], DATABASE_URL=url, ORDERFLOW_HOME=str(tmp_path)) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "waiting for it" in line:
                break
        private_postgres.start()
        said = process.communicate(timeout=90)[0]
    assert process.returncode == 1
    assert said.strip().splitlines()[-1].startswith("orderflow: The order database is at migration 9999")
    private_postgres.drop_database("late_order")


def test_the_embedded_shop_refuses_files_of_newer_code(tmp_path: Path) -> None:
    marked_as(Database("order", sqlite_url(tmp_path, "order")), "9999")
    status, said = ended(["run"], ORDERFLOW_HOME=str(tmp_path))
    assert status == 2
    assert said.strip().splitlines()[-1].startswith("orderflow: The order database is at migration 9999")
    assert "Traceback" not in said


def test_the_embedded_shop_opens_on_files_made_before_migrations_were_counted(tmp_path: Path) -> None:
    order = make_old_shop(lambda service: Database(service, sqlite_url(tmp_path, service)))
    with LocalShop(orderflow_home=tmp_path) as shop:
        words = Words(shop, "topic")
        assert words.look(str(order))["status"] == "SUCCESS"
        assert words.settled(words.order(ADA, {CHAIR: 1}))["status"] == "SUCCESS"
        words.quiet()

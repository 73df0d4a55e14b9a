"""Roles as docker-compose.yml's PostgreSQL makes them: a service reaches its own database, and nobody more than needed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from importlib import import_module
from itertools import permutations
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from lab.audit import audit
from lab.books import database_of
from lab.local import LocalShop
from lab.migrate import migrate
from lab.servers import PrivatePostgres
from patterns import schema
from patterns.database import Database
from patterns.errors import SchemaMismatch
from patterns.settings import MODES, configure
from patterns.shop import SERVICES
from tests.flows.words import Words
from tests.house.sources import ROOT
from tests.servers import Unavailable

pytestmark = pytest.mark.real

PASSWORD = "as-long-as-it-is-one"
NAMES = ("MIGRATOR", "AUDITOR", *(service.upper() for service in SERVICES))


def make_roles(server: PrivatePostgres, **changed: str) -> subprocess.CompletedProcess[str]:
    """Let the script do its work on a server, as its image does on an empty one."""
    url = make_url(server.url("postgres"))
    environment = {
        **os.environ, "PATH": f"{server.programs}:{os.environ['PATH']}", "POSTGRES_USER": str(url.username),
        "PGHOST": str(url.host), "PGPORT": str(url.port), "PGPASSWORD": str(url.password),
        **{f"{name}_DATABASE_PASSWORD": PASSWORD for name in NAMES}, **changed,
    }
    script = ROOT / "deploy" / "postgres-roles.sh"
    return subprocess.run([script], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def server(_private_postgres: PrivatePostgres | Unavailable) -> Iterator[PrivatePostgres]:
    """A PostgreSQL with these roles, and every service's tables; without them again afterwards."""
    if isinstance(_private_postgres, Unavailable):
        _private_postgres.miss()
    assert isinstance(_private_postgres, PrivatePostgres)
    done = make_roles(_private_postgres)
    assert done.returncode == 0, done.stderr
    configure(database_url=url_of(_private_postgres, "migrator"))
    assert {one.state for one in migrate(SERVICES, 30)} == {"empty"}
    yield _private_postgres
    for service in SERVICES:
        database_of(service).close()
        _private_postgres.drop_database(f"shop_{service}")
    for role in ("migrator", "auditor", *(f"shop_{service}" for service in SERVICES)):
        _private_postgres.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def url_of(server: PrivatePostgres, role: str, database: str = "shop_{service}") -> str:
    """DATABASE_URL for a role; ``{service}`` may stand in both."""
    url = make_url(server.url("NAME"))
    return f"postgresql://{role}:{PASSWORD}@{url.host}:{url.port}/{database}"


def refused(server: PrivatePostgres, role: str, database: str, *commands: str) -> bool:
    """Whether this role may not do this there (or, without commands, not even connect)."""
    try:
        with psycopg.connect(url_of(server, role, database), autocommit=True, connect_timeout=10) as connection:
            for command in commands:
                connection.execute(command)  # type: ignore[call-overload]
    except psycopg.OperationalError as error:  # not let in: it has no SQLSTATE here
        return "permission denied for database" in str(error) and not commands
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
        return bool(commands)
    return False


def test_each_service_is_refused_at_every_other_database(server: PrivatePostgres) -> None:
    assert not any(refused(server, f"shop_{service}", f"shop_{service}") for service in SERVICES)
    let_in = [pair for pair in permutations(SERVICES, 2) if not refused(server, f"shop_{pair[0]}", f"shop_{pair[1]}")]
    assert let_in == []
    assert all(refused(server, f"shop_{service}", name) for service in SERVICES for name in ("postgres", "template1"))


def test_a_service_changes_rows_but_no_tables(server: PrivatePostgres) -> None:
    no = [
        "CREATE TABLE mine (id int)", "CREATE TEMP TABLE mine (id int)", "CREATE INDEX ON inbox (mode)",
        "ALTER TABLE inbox ADD COLUMN mine int", "DROP TABLE inbox", "TRUNCATE inbox", "COPY inbox TO PROGRAM 'cat'",
        "CREATE SCHEMA mine", "CREATE DATABASE mine", "CREATE ROLE mine", "SELECT * FROM pg_authid",
    ]
    for service in SERVICES:
        there = (server, f"shop_{service}", f"shop_{service}")
        assert [command for command in no if not refused(*there, command)] == []
        assert not refused(*there, "DELETE FROM inbox", "SELECT * FROM alembic_version")


def test_the_auditor_reads_everything_and_changes_nothing(server: PrivatePostgres) -> None:
    for service in SERVICES:
        there = (server, "auditor", f"shop_{service}")
        assert not refused(*there, "SELECT * FROM inbox", "SELECT * FROM outbox")
        assert refused(*there, "DELETE FROM inbox")
        assert refused(*there, "SET default_transaction_read_only = off", "DELETE FROM inbox")


def test_a_service_that_may_make_no_tables_says_who_may(server: PrivatePostgres) -> None:
    server.execute(sql.SQL("CREATE DATABASE new_order OWNER migrator"))
    database = Database("order", url_of(server, "shop_order", "new_order").replace("postgresql:", "postgresql+psycopg:"))
    with pytest.raises(SchemaMismatch, match=r"this service's role may not make tables\. Run `orderflow migrate order`"):
        schema.prepare(database, import_module("order.models").metadata)
    database.close()
    server.drop_database("new_order")


def test_the_shop_works_and_is_audited_with_these_roles(server: PrivatePostgres, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"orderflow_home": tmp_path, "rpc_wait_seconds": 30}
    with LocalShop(database_url=url_of(server, "shop_{service}"), **settings) as shop:
        for mode in MODES:
            words = Words(shop, mode)
            ada, chair = words.customer(100_000), words.goods(1_000, 50)
            assert words.settled(words.order(ada, {chair: 1}))["status"] == "SUCCESS"
            words.quiet()
    configure(database_url=url_of(server, "auditor"), **settings)
    report = audit([])
    assert report.clean and report.orders["SUCCESS"] == len(MODES)


def test_an_empty_password_is_refused_before_anything_is_made(server: PrivatePostgres) -> None:
    done = make_roles(server, ORDER_DATABASE_PASSWORD="")
    assert (done.returncode, done.stderr) == (1, "ORDER_DATABASE_PASSWORD is empty; 'make env' writes one into .env\n")

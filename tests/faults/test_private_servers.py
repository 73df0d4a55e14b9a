"""The servers we crash in tests keep what they had confirmed, and come back on their feet."""

from __future__ import annotations

import psycopg
import pytest

from lab.servers import Databases, PrivatePostgres, PrivateRabbitMQ
from patterns.errors import BrokerUnavailable, DatabaseUnavailable


def test_postgres_keeps_what_was_committed_when_killed(private_postgres: PrivatePostgres, databases: Databases) -> None:
    url = databases.fresh(("user",))
    with psycopg.connect(url.format(service="user")) as connection:
        connection.execute("CREATE TABLE paid AS SELECT 4999 AS cents")
    with psycopg.connect(url.format(service="user")) as victim:
        private_postgres.restart(crash=True)
        with pytest.raises(psycopg.OperationalError):
            victim.execute("SELECT 1")
    with psycopg.connect(url.format(service="user")) as connection:
        assert connection.execute("SELECT cents FROM paid").fetchall() == [(4999,)]


def test_a_template_is_copied_with_its_tables(databases: Databases) -> None:
    def create_tables(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE seat (number integer)")

    databases.prepare("seats", create_tables)
    first, second = databases.fresh(("seats",)), databases.fresh(("seats",))
    with psycopg.connect(first.format(service="seats")) as one:
        one.execute("INSERT INTO seat VALUES (1)")
    with psycopg.connect(second.format(service="seats")) as two:
        assert two.execute("SELECT count(*) FROM seat").fetchone() == (0,)
    databases.drop(first)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first.format(service="seats"))


@pytest.mark.whole
def test_a_killed_node_says_so_and_comes_back_with_its_virtual_hosts(private_rabbitmq: PrivateRabbitMQ) -> None:
    name = private_rabbitmq.fresh_vhost()
    before = private_rabbitmq.pid
    private_rabbitmq.kill()
    with pytest.raises(BrokerUnavailable, match="not running"):
        private_rabbitmq.fresh_vhost()
    private_rabbitmq.start()
    assert private_rabbitmq.pid != before
    assert name in private_rabbitmq.eval("rabbit_vhost:list_names().")
    private_rabbitmq.delete_vhost(name)


def test_a_node_left_paused_and_starved_is_recovered(private_rabbitmq: PrivateRabbitMQ) -> None:
    private_rabbitmq.raise_memory_alarm()
    assert "memory" in private_rabbitmq.eval("rabbit_alarm:get_alarms().")
    private_rabbitmq.pause()
    private_rabbitmq.recover()
    assert private_rabbitmq.eval("rabbit_alarm:get_alarms().") == "[]"


@pytest.mark.whole
def test_a_stopped_postgres_says_so(private_postgres: PrivatePostgres) -> None:
    private_postgres.stop(immediate=True)
    with pytest.raises(DatabaseUnavailable, match="not running"):
        private_postgres.kill()

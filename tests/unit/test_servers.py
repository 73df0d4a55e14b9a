"""What the tests' own fixtures do when a server is given, missing, or in CI."""

from __future__ import annotations

import os

import pytest

from lab.servers import ConfiguredRabbitMQ, Postgres, free_ports
from patterns.errors import DatabaseUnavailable
from patterns.settings import Settings, settings
from tests import servers, workers
from tests.servers import Unavailable


@pytest.mark.parametrize(("in_ci", "outcome"), [(False, pytest.skip.Exception), (True, pytest.fail.Exception)])
def test_a_missing_server_skips_loudly_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, in_ci: bool, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(servers, "IN_CI", in_ci)
    monkeypatch.setattr(workers, "MISSED", {})
    for _ in range(2):
        with pytest.raises(outcome, match="no such server"):
            Unavailable("no such server\nand more words").miss()
    assert workers.MISSED == {"no such server": 2}


def test_the_developers_environment_does_not_leak_into_tests() -> None:
    assert not {name.upper() for name in Settings.model_fields} & set(os.environ)
    assert settings() == Settings.model_construct(**{name: field.default for name, field in Settings.model_fields.items()})


def test_a_configured_broker_without_management_keeps_to_its_own_virtual_host() -> None:
    (port,) = free_ports(1)
    broker = ConfiguredRabbitMQ(f"amqp://me:secret@127.0.0.1:{port}/mine", management=f"http://127.0.0.1:{port}")
    assert broker.url(broker.fresh_vhost()) == f"amqp://me:secret@127.0.0.1:{port}/mine"
    assert "one virtual host" in broker.description
    assert "secret" not in broker.description


def test_a_database_url_is_made_for_each_service() -> None:
    server = Postgres("postgresql://me:p%40ss@db.example:5433/shop")
    assert server.url("t_1_{service}") == "postgresql://me:p%40ss@db.example:5433/t_1_{service}"


def test_a_postgres_that_is_away_is_reported_without_its_password() -> None:
    (port,) = free_ports(1)
    with pytest.raises(DatabaseUnavailable, match="does not let us in") as caught:
        Postgres(f"postgresql://me:secret@127.0.0.1:{port}/shop").databases()
    assert "secret" not in str(caught.value)

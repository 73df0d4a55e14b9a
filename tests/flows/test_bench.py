"""``orderflow bench`` works: every order settles, in ours and in the bare program, and both do the same work.

How fast either is, no test says.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.bench import likeness
from lab.bench.books import differences
from lab.bench.course import bench
from lab.bench.files import report_files
from lab.bench.plan import Plan
from lab.bench.result import BARE, OURS
from lab.bench.rows import connect, fill, stock_up
from lab.compare.places import Real, settings_as_before
from lab.migrate import migrate
from lab.servers import ConfiguredRabbitMQ, Postgres, PrivateRabbitMQ
from patterns.settings import MODES, configure
from patterns.shop import SERVICES

pytestmark = pytest.mark.timeout(600)

PLAN = Plan(modes=("topic",), orders=20, clients=(4,), rounds=1, warm_up=4, idle_seconds=1)


def test_a_tiny_benchmark_measures_both_and_finds_their_work_alike(
    rabbitmq_server: PrivateRabbitMQ | ConfiguredRabbitMQ, postgres_server: Postgres, tmp_path: Path
) -> None:
    if isinstance(rabbitmq_server, ConfiguredRabbitMQ) and rabbitmq_server.shared:
        pytest.skip(rabbitmq_server.description)
    results = bench(PLAN, servers=Real(rabbitmq_server, postgres_server))
    assert set(results.rounds["topic"]) == {"idle", "drain", "accept", "closed 4", "half load"}
    for measured in results.rounds.values():
        for rounds in measured.values():
            assert all(one.get("orders_per_second", 1) > 0 for team in (OURS, BARE) for one in rounds[team])
    assert len(results.memory[OURS]) == len(results.memory[BARE]) == len(SERVICES)
    written, _ = report_files(results, tmp_path)
    assert "| topic | drain |" in written[0].read_text()


@pytest.mark.whole
def test_every_mode_can_be_measured(
    rabbitmq_server: PrivateRabbitMQ | ConfiguredRabbitMQ, postgres_server: Postgres
) -> None:
    if isinstance(rabbitmq_server, ConfiguredRabbitMQ) and rabbitmq_server.shared:
        pytest.skip(rabbitmq_server.description)
    results = bench(replace(PLAN, modes=MODES), servers=Real(rabbitmq_server, postgres_server))
    assert tuple(results.rounds) == MODES
    assert set(results.rounds["rpc"]) == {"idle", "closed 4", "half load"}  # its clients wait: there is no backlog


@pytest.fixture
def filled(database_url: str) -> str:
    """Six databases with a thousand settled orders of the past in them."""
    with settings_as_before():
        configure(database_url=database_url)
        migrate(SERVICES, wait=30)
    stock_up(database_url)
    fill(database_url, 1000)
    return database_url


def test_orders_of_the_past_are_all_booked_and_what_is_not_is_seen(filled: str) -> None:
    assert differences(filled) == []
    assert likeness.unlike([filled, filled]) == []
    with connect(filled, "user") as database:
        database.execute("UPDATE holds SET state = 'HELD' WHERE order_id = (SELECT order_id FROM holds LIMIT 1)")
    [wrong] = differences(filled)
    assert wrong.startswith("the user database says (999, 1")

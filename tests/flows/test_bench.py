"""``orderflow bench`` works: every order settles, in ours and in the bare program, and both do the same work.

How fast either is, no test says.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.bench import embedded, likeness
from lab.bench.books import differences
from lab.bench.course import bench
from lab.bench.experiments import EXPERIMENTS
from lab.bench.files import report_files
from lab.bench.plan import Plan
from lab.bench.result import BARE, OURS
from lab.bench.rows import connect, fill, stock_up
from lab.bench.session import Tick
from lab.books import database_of
from lab.compare.places import Real, settings_as_before
from lab.servers import ConfiguredRabbitMQ, Postgres, PrivateRabbitMQ
from lab.shop import app_of
from patterns.settings import MODES, configure
from patterns.shop import SERVICES

pytestmark = pytest.mark.timeout(600)

PLAN = Plan(modes=("topic",), orders=20, clients=(4,), rounds=1, warm_up=4, idle_seconds=0.2, rows=100)

COSTS = {f"cpu_ms_{who}" for who in ("services", "broker", "database")} | {"messages", "transactions"}
TIMES = {"p50_ms", "p95_ms", "p99_ms"}


@pytest.fixture
def place(
    rabbitmq_server: PrivateRabbitMQ | ConfiguredRabbitMQ, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> Real:
    """The suite's servers; queues that are made sooner than quorum queues, since speed does not count here."""
    if isinstance(rabbitmq_server, ConfiguredRabbitMQ) and rabbitmq_server.shared:
        pytest.skip(rabbitmq_server.description)
    monkeypatch.setenv("QUEUE_TYPE", "classic")
    return Real(rabbitmq_server, postgres_server)


def test_a_tiny_benchmark_measures_both_and_finds_their_work_alike(place: Real, tmp_path: Path) -> None:
    ticks: list[Tick] = []
    results = bench(PLAN, ticks.append, place)
    assert set(results.rounds["topic"]) == {"idle", "drain", "accept", "closed 4", "half load"}
    wanted = {"idle": {"idle_percent"}, "drain": COSTS, "accept": COSTS, "closed 4": COSTS | TIMES, "half load": TIMES}
    private = isinstance(place.rabbitmq, PrivateRabbitMQ)  # of others' servers the processor time is not known
    for what, rounds in results.rounds["topic"].items():
        for [figures] in (rounds[OURS], rounds[BARE]):
            assert figures.keys() >= {name for name in wanted[what] if private or what == "idle" or name in TIMES}
            assert figures.get("orders_per_second", 1) > 0
    assert len(results.memory[OURS]) == len(results.memory[BARE]) == len(SERVICES)
    written, _ = report_files(results, tmp_path)
    assert "| topic | drain |" in written[0].read_text()
    assert str(Path.home()) not in "".join(path.read_text() for path in written)
    done = [tick.done for tick in ticks if tick.orders]
    assert done == sorted(done)
    assert done[-1] == ticks[-1].orders  # the bar is full when it is over, not before


@pytest.mark.whole
def test_every_mode_can_be_measured(place: Real) -> None:
    results = bench(replace(PLAN, modes=MODES), servers=place)
    assert tuple(results.rounds) == MODES
    assert set(results.rounds["rpc"]) == {"idle", "closed 4", "half load"}  # its clients wait: there is no backlog


@pytest.mark.whole
@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_every_question_of_growth_has_an_answer(name: str, place: Real) -> None:
    experiment = EXPERIMENTS[name]
    plan = experiment.plan({"orders": 40, "rounds": 1, "rows": 100})
    results = bench(plan, servers=place, teams=experiment.teams(plan))
    assert experiment.grid(results).rows


@pytest.mark.whole
def test_the_embedded_shop_can_be_measured() -> None:
    results = embedded.measure(Plan(orders=20, rounds=1), lambda _: None)
    assert len(embedded.answers(results)) == 5
    assert results.median("embedded", "drain", "embedded", "orders_per_second")


@pytest.fixture
def filled(database_url: str) -> str:
    """Six databases with some settled orders of the past in them."""
    with settings_as_before():
        configure(database_url=database_url)
        for service in SERVICES:
            database_of(service).create_tables(app_of(service).state.service.metadata)
    stock_up(database_url)
    fill(database_url, 50)
    return database_url


def test_orders_of_the_past_are_all_booked_and_what_is_not_is_seen(filled: str) -> None:
    assert differences(filled) == []
    assert likeness.unlike([filled, filled]) == []
    with connect(filled, "user") as database:
        database.execute("UPDATE holds SET state = 'HELD' WHERE order_id = (SELECT order_id FROM holds LIMIT 1)")
    [wrong] = differences(filled)
    assert wrong.startswith("the user database says (49, 1")

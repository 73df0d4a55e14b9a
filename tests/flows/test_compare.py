"""``orderflow compare``: the same orders end alike in every mode, and it is seen when they do not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.compare import Plan, compare
from lab.compare import run as compare_run
from lab.compare.places import Real
from lab.compare.result import Comparison
from lab.compare.workload import FEWEST_ORDERS, Workload
from lab.local import LocalShop
from lab.servers import ConfiguredRabbitMQ, Postgres, PrivateRabbitMQ
from patterns.shop import OrderConfirmed
from product import mqlistener as product

pytestmark = pytest.mark.timeout(400)

PLAN = Plan(modes=("rpc", "topic"), orders=FEWEST_ORDERS, clients=2, outage_seconds=1)


@pytest.fixture(autouse=True)
def _patient_rpc(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is today, a client of mode rpc waits for its ending."""
    monkeypatch.setenv("RPC_WAIT_SECONDS", "50")


def hold(comparison: Comparison) -> None:
    """What every comparison of PLAN must show, whatever the servers."""
    assert comparison.equal, (comparison.differences, comparison.wrong)
    rpc, topic = comparison.calm["rpc"], comparison.calm["topic"]
    assert rpc.codes == {"201": PLAN.orders}
    assert (rpc.final_answers, rpc.polls) == (1.0, 0.0)
    assert sum(topic.codes.values()) == PLAN.orders
    assert topic.messages < rpc.messages
    assert topic.transactions < rpc.transactions
    assert topic.bytes < rpc.bytes
    for one in comparison.calm.values():
        assert one.ending.endings == {"SUCCESS": 3, "FAILED": PLAN.orders - 3}
        assert 0 < one.settled.p50 <= one.settled.p95 <= one.settled.most
        assert one.copies >= one.messages
    for away in comparison.outage.values():
        assert away.asked == PLAN.orders
        assert away.cancelled == away.ending.why_failed["OrderCancelled"] == 1
        assert away.ending.endings == {"SUCCESS": 2, "FAILED": PLAN.orders - 2}
        assert away.settled_meanwhile >= away.cancelled  # the outage lasts until they are; the rest depends on the machine
        assert len(away.settled_at) == PLAN.orders
    assert comparison.outage["topic"].accepted > 0


def test_the_modes_end_alike_on_the_embedded_broker() -> None:
    hold(compare(PLAN))


@pytest.mark.whole
def test_the_modes_end_alike_on_real_servers(
    rabbitmq_server: PrivateRabbitMQ | ConfiguredRabbitMQ, postgres_server: Postgres
) -> None:
    if isinstance(rabbitmq_server, ConfiguredRabbitMQ) and rabbitmq_server.shared:
        pytest.skip(rabbitmq_server.description)
    before = set(postgres_server.databases())
    servers = Real(rabbitmq_server, postgres_server)
    assert re.fullmatch(r"RabbitMQ [\d.]+ and PostgreSQL [\d.]+", servers.description)
    hold(compare(replace(PLAN, real=True), servers=servers))
    assert set(postgres_server.databases()) == before


@pytest.mark.parametrize("down", ["order", "notification"])
@pytest.mark.whole
def test_a_service_nobody_can_cancel_without_may_be_away_too(down: str) -> None:
    comparison = compare(replace(PLAN, modes=("default", "saga"), down=down))
    assert comparison.equal, (comparison.differences, comparison.wrong)
    for one in comparison.outage.values():
        assert one.cancelled == 0
        assert (one.refused > 0) is (down == "order")


def test_one_cent_more_in_one_mode_is_shown_and_ends_with_1(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shops: list[LocalShop] = []

    def stock_up(shop: LocalShop, work: Workload) -> None:
        real_stock_up(shop, work)
        shops.append(shop)
        if len(shops) == 2:
            shop.http("user").post("/users/1/deposits", json={"amount_cents": 1}).raise_for_status()

    real_stock_up = compare_run.stock_up
    monkeypatch.setattr(compare_run, "stock_up", stock_up)
    command = ["compare", "--modes", "rpc,topic", "--orders", "10", "--outage", "0", "--seed", "1", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1, result.output
    told = json.loads((tmp_path / "compare.json").read_text())
    assert not told["equal"]
    [difference] = told["differences"]
    assert difference.startswith("customer 1: ")
    assert "(rpc)" in difference
    assert "(topic)" in difference
    assert difference in " ".join(result.stdout.split())
    assert difference in (tmp_path / "compare.md").read_text()


def test_a_mode_whose_wiring_forgets_to_sell_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = product.WIRING["topic"]
    deaf = replace(right, hears=tuple(line for line in right.hears if product.sell_stock not in line))
    assert len(deaf.hears) == len(right.hears) - 1, OrderConfirmed
    monkeypatch.setitem(product.WIRING, "topic", deaf)
    comparison = compare(replace(PLAN, outage_seconds=0, quiet_seconds=2))
    assert not comparison.equal
    assert any(line.startswith("product 1: ") and "reserved" in line for line in comparison.differences)
    assert any(line.startswith("topic: SUCCESS ⇔") for line in comparison.wrong)
    assert not [line for line in comparison.wrong if line.startswith("rpc")]


def test_the_command_answers_in_json_and_writes_its_report(tmp_path: Path) -> None:
    command = ["compare", "--modes", "fanout", "--orders", "10", "--outage", "0.5", "--out", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    assert told["equal"] is True
    assert list(told["calm"]) == list(told["outage"]) == ["fanout"]
    assert told["calm"]["fanout"]["ignored"] > 0
    assert told == json.loads((tmp_path / "compare.json").read_text())
    assert "| fanout |" in (tmp_path / "compare.md").read_text()


@pytest.mark.parametrize(
    ("options", "why"), [(["--modes", "rpc,mail"], "mail is no mode"), (["--down", "baker"], "baker is no service")]
)
def test_what_cannot_be_compared_is_explained(options: list[str], why: str) -> None:
    assert why in str(CliRunner().invoke(app, ["compare", *options]).exception)

"""SIGTERM: what is in hand is finished, acknowledged and said; the exit status says so; nothing is delivered twice."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import lab
from lab import clients
from lab.audit import audit_when_quiet
from lab.servers import PrivatePostgres, PrivateRabbitMQ
from lab.torture.embedded import shop_for
from lab.torture.load import Load, stocked
from lab.torture.plan import Plan
from lab.torture.processes import ShopProcess
from lab.torture.shops import SeparateShop, TorturedShop
from lab.torture.truth import check_truth, what_is_so
from patterns.settings import configure
from patterns.shop import SERVICES
from tests.flows.words import until

pytestmark = pytest.mark.timeout(400)

MODES = ("rpc", "topic", "default")
SLOW = {"GATEWAY_LATENCY_SECONDS": "600", "DRAIN_SECONDS": "1"}


@contextmanager
def opened(plan: Plan) -> Iterator[TorturedShop]:
    with shop_for(plan) as shop:
        yield shop
        shop.close()
        shop.keep_logs = False


def uvicorn(process: ShopProcess, service: str) -> None:
    port = process.services[service].rpartition(":")[2]
    process.command = [sys.executable, "-m", "uvicorn", f"{service}.main:app", "--port", port, "--log-level", "warning"]


def main_py(process: ShopProcess, service: str) -> None:
    process.command = [sys.executable, str(Path(lab.__file__).parents[1] / service / "main.py")]


WAYS = {"user": uvicorn, "payment": uvicorn, "product": main_py, "delivery": main_py}


class MixedShop(SeparateShop):
    """Each service started in one of the ways there are; by ``orderflow serve`` unless another is named above."""

    def _start_processes(self) -> None:
        for service, way in WAYS.items():
            for process in self.groups[service]:
                way(process, service)
        super()._start_processes()


def told(url: str) -> dict[str, Any]:
    return dict(clients.get(f"{url}/readyz", timeout=60).json())


def ends_well(shop: TorturedShop, load: Load | None = None) -> None:
    """Everything that was accepted settles, every promise is kept, and RabbitMQ delivered hardly a message twice."""
    report = audit_when_quiet(180)
    assert report.clean, (report.unfinished, [(one.text, one.broken) for one in report.promises if one.broken])
    if load is not None:
        truths = check_truth(what_is_so(load))
        assert not [(truth.text, truth.broken) for truth in truths if truth.broken]
    if shop.plan.embedded:
        return  # after a restart its broker says of every message that it may have been delivered before
    counts = {service: told(url)["counts"] for service in SERVICES for url in shop.urls(service)}
    # One that was on its way while its consumer was cancelled may come to the next process marked so; no more than that.
    assert sum(count.get("redelivered", 0) for count in counts.values()) <= len(shop.processes), counts


def begun(shop: TorturedShop, plan: Plan) -> Load:
    [users], [products], orders = shop.urls("user"), shop.urls("product"), shop.urls("order")
    load = stocked(plan, plan.modes, users, products, orders)
    load.start()
    return load


def each_ends_in_order_and_comes_back(shop: TorturedShop, load: Load, orders: int) -> None:
    """Under load: SIGTERM to one process after another, and its exit status."""
    for process in shop.processes:
        answered = len(load.history.answered)
        load.supply.permit(orders * len(load.modes))
        until(lambda before=answered: len(load.history.answered) > before, "orders are under way")
        process.ask_to_end()
        status = process.wait_until_ended()
        assert status == 0, f"{process.name}: {status}. {process.last_words()}"
        process.start()
        process.wait_until_ready()
    load.supply.permit_up_to(load.plan.orders_in_round)
    load.supply.last_call()
    load.join()


@pytest.mark.real
@pytest.mark.whole
def test_each_service_finishes_what_it_has_in_hand_however_it_was_started(rabbitmq_url: str, database_url: str) -> None:
    configure(rabbitmq_url=rabbitmq_url, database_url=database_url)
    plan = Plan(modes=MODES, orders=36, clients=18, instances=1, together=True)
    with MixedShop(plan) as shop:
        load = begun(shop, plan)
        each_ends_in_order_and_comes_back(shop, load, 5)
        ends_well(shop, load)
        assert shop.close() == []
        assert [process.ended for process in shop.processes] == [0] * len(SERVICES)
        shop.keep_logs = False


def test_the_whole_embedded_shop_finishes_what_it_has_in_hand() -> None:
    plan = Plan(modes=MODES, orders=24, clients=18, embedded=True, together=True)
    with opened(plan) as shop:
        load = begun(shop, plan)
        each_ends_in_order_and_comes_back(shop, load, 12)
        ends_well(shop, load)


def place(shop: TorturedShop, mode: str) -> str:
    """Order something, and wait until its payment is in the gateway's hands; answers the order's URL."""
    [users], [products], [orders] = shop.urls("user"), shop.urls("product"), shop.urls("order")
    with clients.client(timeout=60) as http:
        user = http.post(f"{users}/users", json={"name": "Ada", "balance_cents": 100_000}).json()["id"]
        product = http.post(f"{products}/products", json={"name": "Chair", "price_cents": 1_000, "quantity": 9}).json()["id"]
        body = {"user_id": user, "product_id": product, "quantity": 1, "mode": mode}
        order = http.post(f"{orders}/orders", json=body).json()["id"]
        until(lambda: http.get(f"{users}/users/{user}").json()["held_cents"] == 1_000, "funds are held")
    return f"{orders}/orders/{order}"


def status_of(order: str) -> str:
    return str(clients.get(order, timeout=60).json()["status"])


@pytest.mark.real
def test_a_service_that_drains_takes_nothing_new_and_finishes_the_rest(rabbitmq_url: str, database_url: str) -> None:
    configure(rabbitmq_url=rabbitmq_url, database_url=database_url)
    with opened(Plan(modes=("topic",), instances=1)) as shop:
        [payment] = shop.groups["payment"]
        restart(payment, GATEWAY_LATENCY_SECONDS="5", PAYMENT_FAILURE_RATE="0", DRAIN_SECONDS="120")
        order = place(shop, "topic")
        payment.ask_to_end()
        until(lambda: not is_taken(payment.services["payment"]), "requests are not taken any more")
        assert payment.ended is None, "it still works on what it has in hand"
        assert payment.wait_until_ended() == 0
        restart(payment, GATEWAY_LATENCY_SECONDS="0")
        until(lambda: status_of(order) != "PROCESSING", "the order settles")
        ends_well(shop)


def restart(process: ShopProcess, **environment: str) -> None:
    if process.ended is None:
        process.ask_to_end()
        process.wait_until_ended()
    process.environment.update(environment)
    process.start()
    process.wait_until_ready()


def is_taken(url: str) -> bool:
    try:
        return clients.get(f"{url}/messages?order_id=0b6cbe0e-9d2b-4c4c-8f5f-111111111111", timeout=60).status_code != 503
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(("embedded", "killed_by"), [
    pytest.param(False, -signal.SIGTERM, marks=pytest.mark.real), (True, 1),
])
@pytest.mark.whole(embedded=False)
def test_a_handler_that_does_not_end_keeps_nobody_and_loses_nothing(
    embedded: bool, killed_by: int, request: pytest.FixtureRequest
) -> None:
    if not embedded:
        configure(**{name: request.getfixturevalue(name) for name in ("rabbitmq_url", "database_url")})
    with opened(Plan(modes=("topic",), instances=1, embedded=embedded)) as shop:
        [process] = shop.groups["shop" if embedded else "payment"]
        restart(process, **SLOW)
        order = place(shop, "topic")
        process.ask_to_end()
        assert process.wait_until_ended() == killed_by, process.last_words()
        assert "Not finished within 1 s" in process.log.read_text()
        process.environment |= {"GATEWAY_LATENCY_SECONDS": "0", "DRAIN_SECONDS": "20"}
        process.start()
        process.wait_until_ready()
        until(lambda: status_of(order) != "PROCESSING", "its message is delivered again")
        assert audit_when_quiet(120).clean


@pytest.mark.real
@pytest.mark.whole
def test_a_service_whose_servers_are_away_ends_at_once(
    private_rabbitmq: PrivateRabbitMQ, private_postgres: PrivatePostgres
) -> None:
    vhost = private_rabbitmq.fresh_vhost()
    for service in SERVICES:
        private_postgres.create_database(f"drain_{service}")
    configure(rabbitmq_url=private_rabbitmq.url(vhost), database_url=private_postgres.url("drain"))
    with opened(Plan(modes=("topic",), instances=1)) as shop:
        private_rabbitmq.stop()
        private_postgres.kill()
        for url in (process.services[service] for service, [process] in shop.groups.items()):
            until(lambda at=url: {"voice", "ears", "database"} <= told(at)["troubles"].keys(), "it is told")
        for process in shop.processes:
            process.ask_to_end()
        # Whoever takes all of DRAIN_SECONDS, which are long here, has not finished, and its status says so.
        assert [process.wait_until_ended() for process in shop.processes] == [0] * len(SERVICES)
        private_postgres.start()
        private_rabbitmq.start()
        for process in shop.processes:
            process.start()
        for process in shop.processes:
            process.wait_until_ready()
    for service in SERVICES:
        private_postgres.drop_database(f"drain_{service}")

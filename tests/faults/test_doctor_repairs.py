"""``orderflow doctor --repair`` on a real RabbitMQ: each sin is planted, found, and mended or left alone with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.doctor import Verdict, examine
from lab.local import LocalShop
from lab.servers import PrivateRabbitMQ
from patterns.connection import RabbitTransport
from patterns.settings import settings
from patterns.shop import SERVICES
from tests.faults.patient import Patient, found, patient, refused, repaired, wait_until, wrongs

OLD: dict[str, Any] = {
    "x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "product.dead",
    "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish", "x-delivery-limit": 20,
}
"""A main queue as an older release may have declared it."""


@pytest.fixture
def shop(private_rabbitmq: PrivateRabbitMQ, tmp_path: Path) -> Iterator[Patient]:
    with patient(private_rabbitmq, tmp_path) as one:
        yield one


def test_a_shop_as_its_wiring_says_is_healthy(shop: Patient) -> None:
    report = examine()
    assert report.exit_status == 0, wrongs(report)
    found(report, Verdict.OK, "queues", "65 are there")
    found(report, Verdict.UNCHECKED, "bindings", "management API")
    found(report, Verdict.WARNING, "readers", "No service is running")


def test_what_is_missing_is_found_and_declared(shop: Patient) -> None:
    shop.channel.delete_queue("product.topic")
    shop.channel.delete_queue("orderflow.retry.5000")
    shop.channel.delete_exchange("EX_USER")
    report = examine()
    assert report.exit_status == 1
    found(report, Verdict.WRONG, "queues", "orderflow.retry.5000; product.topic")
    found(report, Verdict.WRONG, "exchanges", "EX_USER")
    report = repaired()
    assert report.exit_status == 0, wrongs(report)
    shop.say("order.placed", 1, exchange="orderflow.topic")
    assert shop.depth("product.topic") == 1, "the binding came back with the queue"
    shop.say("product.topic", 1, exchange="orderflow.retry.5000")
    assert shop.depth("orderflow.retry.5000") == 1


@pytest.mark.parametrize(("old", "difference"), [
    (OLD, "x-delivery-limit is 20, wanted is 1000"),
    ({"x-queue-type": "classic"}, "x-dead-letter-exchange is none, wanted is empty"),
    ({**OLD, "x-delivery-limit": 1000, "x-message-ttl": 60000}, "x-message-ttl is 60000, wanted is none"),
])
def test_an_empty_queue_with_other_arguments_is_declared_anew(shop: Patient, old: dict[str, Any], difference: str) -> None:
    shop.replace("product.topic", old)
    assert not shop.is_as_wanted("product")
    found(examine(), Verdict.WRONG, "queues", "product.topic", difference)
    report = repaired()
    assert any("product.topic was empty and is declared anew" in deed.what for deed in report.deeds)
    assert report.exit_status == 0, wrongs(report)
    assert shop.is_as_wanted("product")
    shop.say("order.placed", 1, exchange="orderflow.topic")
    assert shop.depth("product.topic") == 1, "its bindings were declared again"


@pytest.mark.parametrize("old", [OLD, pytest.param({"x-queue-type": "classic"}, marks=pytest.mark.whole)])
def test_a_queue_with_other_arguments_keeps_its_messages(shop: Patient, old: dict[str, Any]) -> None:
    shop.replace("product.reserve", old, messages=3)
    report = repaired()
    assert "holds 3 messages" in refused(report, "product.reserve")
    assert report.exit_status == 1
    assert shop.depth("product.reserve") == 3


def test_a_classic_queue_that_fills_at_the_last_moment_is_kept_by_the_broker(
    shop: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.replace("product.reserve", {"x-queue-type": "classic"})
    monkeypatch.setattr("lab.doctor.repair.Repair._strangers", lambda _: shop.say("product.reserve", 1) or "")
    assert "not empty" in refused(repaired(), "product.reserve")
    assert shop.depth("product.reserve") == 1


def test_no_queue_goes_while_services_speak(shop: Patient) -> None:
    shop.replace("product.topic", OLD)
    shop.channel.consume("user.topic")
    assert "user would speak while it is away" in refused(repaired(), "product.topic")
    assert not shop.is_as_wanted("product"), "it was left as it was"


def test_no_queue_goes_while_somebody_reads_it(shop: Patient) -> None:
    shop.replace("user.parked", {"x-queue-type": "classic"})
    shop.channel.consume("user.parked")
    assert "somebody reads it" in refused(repaired(), "user.parked")


def test_no_queue_goes_while_a_message_is_on_its_way_back_to_it(shop: Patient) -> None:
    shop.replace("product.topic", OLD)
    shop.say("product.topic", 1, exchange="orderflow.retry.25000")
    assert "orderflow.retry.25000" in refused(repaired(), "product.topic")
    assert shop.depth("orderflow.retry.25000") == 1


@pytest.mark.whole
def test_a_change_of_queue_type_is_carried_through(private_rabbitmq: PrivateRabbitMQ, tmp_path: Path) -> None:
    with patient(private_rabbitmq, tmp_path, queue_type="classic") as shop:
        shop.say("user.parked", 1)
        shop.configure(queue_type="quorum")
        report = repaired()
        assert "holds 1 messages" in refused(report, "user.parked")
        assert len(wrongs(report)) == 1, "all others are quorum queues now"


def test_an_exchange_of_another_type_is_declared_anew_when_nothing_is_bound(shop: Patient) -> None:
    shop.channel.delete_exchange("orderflow.topic")
    shop.channel.declare_exchange("orderflow.topic", "direct")
    found(examine(), Verdict.WRONG, "exchanges", "orderflow.topic", "type is direct, wanted is topic")
    report = repaired()
    assert report.exit_status == 0, wrongs(report)
    shop.say("order.placed", 1, exchange="orderflow.topic")
    assert shop.depth("product.topic") == 1


def test_an_exchange_of_another_type_is_left_alone_when_something_is_bound(shop: Patient) -> None:
    shop.channel.delete_exchange("EX_ORDER")
    shop.channel.declare_exchange("EX_ORDER", "direct")
    shop.channel.bind("product.fanout", "EX_ORDER", "kept")
    assert "in use" in refused(repaired(), "EX_ORDER")
    shop.say("kept", 1, exchange="EX_ORDER")
    assert shop.depth("product.fanout") == 1
    assert shop.depth("user.fanout") == 0, "nothing was bound to what is wrong"


@pytest.mark.whole
def test_services_that_a_difference_kept_out_come_in_after_the_repair(shop: Patient) -> None:
    shop.replace("product.topic", OLD)
    given = {"orderflow_home": shop.home, "rabbitmq_url": shop.server.url(shop.vhost)}
    with LocalShop(**given) as running:
        wait_until(lambda: "406" in running.http("product").get("/readyz").text)
        assert "would speak while it is away" in refused(repaired(), "product.topic")
    assert repaired().exit_status == 0
    with LocalShop(**given) as running:
        wait_until(lambda: all(running.http(service).get("/readyz").status_code == 200 for service in SERVICES))
        report = examine()
        assert report.exit_status == 0, wrongs(report)
        for service in SERVICES:
            found(report, Verdict.OK, "readers", f"{service} reads its")


@pytest.mark.whole
def test_the_doctor_leaves_nothing_behind(shop: Patient) -> None:
    before = shop.server.ctl("list_queues", "-p", shop.vhost, "name"), shop.server.ctl("list_exchanges", "-p", shop.vhost)
    examine()
    after = shop.server.ctl("list_queues", "-p", shop.vhost, "name"), shop.server.ctl("list_exchanges", "-p", shop.vhost)
    assert sorted(after[0].splitlines()) == sorted(before[0].splitlines())
    assert sorted(after[1].splitlines()) == sorted(before[1].splitlines())


def test_one_service_alone_is_examined_and_repaired(shop: Patient) -> None:
    for queue in ("product.topic", "user.topic"):
        shop.channel.delete_queue(queue)
    report = examine("product", repair=True)
    assert report.exit_status == 0, wrongs(report)
    assert shop.accepts(lambda channel: channel.declare_queue("product.topic", passive=True))
    assert not shop.accepts(lambda channel: channel.declare_queue("user.topic", passive=True))


@pytest.mark.whole
def test_a_repaired_shop_is_the_one_that_a_service_would_have_declared(shop: Patient) -> None:
    with_services = shop.server.ctl("list_bindings", "-p", shop.vhost)
    vhost = shop.server.fresh_vhost()
    other = RabbitTransport(shop.server.url(vhost)).connect("test")
    shop.configure(rabbitmq_url=shop.server.url(vhost))
    assert settings().rabbitmq_url.endswith(vhost)
    assert repaired().exit_status == 0
    assert sorted(shop.server.ctl("list_bindings", "-p", vhost).splitlines()) == sorted(with_services.splitlines())
    other.close()
    shop.server.delete_vhost(vhost)

"""``orderflow doctor`` on a real RabbitMQ with its management API: what AMQP cannot tell, who reads, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lab.doctor import Verdict, examine
from lab.doctor.views import Listing, RabbitView
from lab.servers import PrivateRabbitMQ, free_ports
from lab.servers.management import ManagementApi
from lab.shop import wirings_of
from patterns import topology
from patterns.connection import RabbitTransport
from patterns.settings import configure
from patterns.shop import SERVICES
from tests.faults.patient import Patient, found, patient, refused, repaired, wait_until, wrongs


@pytest.fixture
def shop(private_rabbitmq: PrivateRabbitMQ, tmp_path: Path) -> Iterator[Patient]:
    with patient(private_rabbitmq, tmp_path, rabbitmq_management_url=private_rabbitmq.enable_management()) as one:
        yield one


@pytest.fixture
def plain(private_rabbitmq: PrivateRabbitMQ, tmp_path: Path) -> Iterator[Patient]:
    with patient(private_rabbitmq, tmp_path, rabbitmq_management_url="http://127.0.0.1:9") as one:
        yield one


def clients() -> tuple[str, ...] | None:
    """Who is connected, as the management API sees it some seconds later."""
    view = RabbitView()
    with closing(view.connect()):
        listing = view.listing()
    assert isinstance(listing, Listing), listing
    return listing.clients


def test_another_brokers_management_api_is_not_believed(shop: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that stands on the standard port, and knows the same user."""
    asked = ManagementApi.ask

    def other(self: ManagementApi, method: str, path: str, body: Any = None) -> Any:
        return {"cluster_name": "other"} if path == "/overview" else asked(self, method, path, body)

    monkeypatch.setattr(ManagementApi, "ask", other)
    found(examine(), Verdict.UNCHECKED, "bindings", "is another broker's, of cluster other")


def test_with_the_management_api_nothing_is_left_unchecked(shop: Patient) -> None:
    report = examine()
    assert report.exit_status == 0, wrongs(report)
    found(report, Verdict.OK, "bindings", "81 are there")
    assert not report.worst(Verdict.UNCHECKED)


def test_a_missing_binding_is_found_and_bound(shop: Patient) -> None:
    shop.channel.unbind("product.topic", "orderflow.topic", "order.placed")
    found(examine(), Verdict.WRONG, "bindings", "orderflow.topic → product.topic (order.placed)")
    report = repaired()
    assert report.exit_status == 0, wrongs(report)
    assert [deed.what for deed in report.deeds] == ["Bindings declared: orderflow.topic → product.topic (order.placed)."]


def test_foreign_bindings_are_told_and_left(shop: Patient) -> None:
    shop.channel.bind("product.topic", "orderflow.topic", "#")
    shop.channel.declare_queue("audit", arguments={"x-queue-type": "quorum"})
    shop.channel.bind("audit", "EX_ORDER")
    report = repaired()
    assert report.exit_status == 0
    assert not report.deeds
    found(report, Verdict.WARNING, "bindings", "orderflow.topic → product.topic (#)", "hears more")
    found(report, Verdict.WARNING, "bindings", "EX_ORDER → audit", "somebody else's queue")


def test_all_differences_of_a_queue_are_told(shop: Patient) -> None:
    shop.replace("user.parked", {"x-queue-type": "quorum", "x-message-ttl": 1000, "x-delivery-limit": 5})
    what = found(examine(), Verdict.WRONG, "queues", "user.parked").what
    assert "x-delivery-limit is 5, wanted is 1000000000; x-message-ttl is 1000, wanted is none" in what


def test_queues_of_no_wiring_are_told(shop: Patient) -> None:
    shop.configure(rabbitmq_management_url=shop.server.enable_management(), retry_delays_seconds=(1, 5))
    shop.channel.declare_queue("somebody", arguments={"x-queue-type": "classic"})
    shop.say("somebody", 2)
    report = examine()
    found(report, Verdict.WARNING, "others", "orderflow.retry.25000 looks like ours", "0 messages")
    found(report, Verdict.OK, "others", "somebody is somebody else's", "2 messages")


@pytest.mark.whole
def test_a_policy_that_loses_messages_is_told(shop: Patient) -> None:
    shop.server.ctl("set_policy", "-p", shop.vhost, "short", "^user\\.parked$", '{"message-ttl":60000}')
    wait_until(lambda: any(finding.part == "policies" for finding in examine().findings))
    found(examine(), Verdict.WRONG, "policies", "user.parked message-ttl=60000")


@pytest.mark.whole
def test_no_queue_goes_while_a_stranger_may_publish(shop: Patient) -> None:
    shop.replace("product.reserve", {"x-queue-type": "classic"})
    stranger = RabbitTransport(shop.server.url(shop.vhost)).connect("stranger")
    shop.connection.close()
    wait_until(lambda: clients() == ("stranger",))
    assert "stranger" in refused(repaired(), "product.reserve")
    stranger.close()
    wait_until(lambda: clients() == ())
    assert repaired().exit_status == 0


def test_a_service_that_reads_only_some_of_its_queues_is_found(plain: Patient) -> None:
    unread = "product.reserve"
    for service in SERVICES:
        for queue in (*topology.heard_queues(service, wirings_of(service)), topology.dead_queue(service)):
            if queue != unread and service != "payment":
                plain.channel.consume(queue)
    plain.say(unread, 4)
    report = examine()
    found(report, Verdict.WRONG, "readers", f"Nobody reads {unread}, although product reads others; 4 messages wait")
    found(report, Verdict.WARNING, "readers", "payment is not running")
    found(report, Verdict.OK, "readers", "user reads its")
    plain.say("payment.process", 1)
    found(examine(), Verdict.WRONG, "readers", "payment is not running", "1 message")


def test_what_is_parked_and_what_nobody_is_there_to_read_is_told(plain: Patient) -> None:
    plain.say("order.parked", 2)
    plain.say("delivery.dead", 1)
    report = examine()
    found(report, Verdict.WARNING, "waiting", "order.parked holds 2 messages")
    found(report, Verdict.WRONG, "readers", "No service is running, and messages wait: 1 in delivery.dead")


@pytest.mark.parametrize(("permissions", "part", "words"), [
    ((".*", "^$", ".*"), "broker", "Publishing is refused: 403"),
    ((".*", "^(?!EX_USER).*", ".*"), "permissions", "May not publish to EX_USER: 403"),
    ((".*", ".*", "^(?!EX_ORDER).*"), "permissions", "May not bind user.fanout to EX_ORDER: 403"),
    (("^(?!user\\.saga).*", ".*", ".*"), "queues", "user.saga: 403"),
])
@pytest.mark.whole
def test_what_we_may_not_do_is_found(plain: Patient, permissions: tuple[str, str, str], part: str, words: str) -> None:
    plain.server.ctl("add_user", plain.vhost, "secret")
    plain.server.ctl("set_permissions", "-p", plain.vhost, plain.vhost, *permissions)
    user = plain.server.url(plain.vhost).split("@")[1]
    plain.configure(rabbitmq_url=f"amqp://{plain.vhost}:secret@{user}")
    try:
        report = examine()
        assert report.exit_status == 1
        assert any(finding.part == part and words in finding.what for finding in report.findings), wrongs(report)
        repaired()  # what is refused is told, not raised
    finally:
        plain.server.ctl("delete_user", plain.vhost)


def test_a_broker_out_of_memory_is_found(plain: Patient) -> None:
    plain.server.raise_memory_alarm()
    report = examine()
    found(report, Verdict.WRONG, "broker", "takes no messages", "memory")
    found(report, Verdict.UNCHECKED, "arguments", "Nothing could be tried out")
    assert report.exit_status == 1
    plain.server.raise_memory_alarm(False)
    assert examine().exit_status == 0


def test_a_connection_without_heartbeat_is_told(plain: Patient) -> None:
    plain.configure(rabbitmq_url=f"{plain.server.url(plain.vhost)}?heartbeat=0")
    found(examine(), Verdict.WARNING, "broker", "No heartbeat")


def test_what_cannot_be_reached_is_said(plain: Patient) -> None:
    url = plain.server.url(plain.vhost)
    wrong_password = url.replace(url.split(":")[2].split("@")[0], "wrong")
    [port] = free_ports(1)
    for bad in (wrong_password, f"amqp://me:secret@127.0.0.1:{port}/", plain.server.url("nowhere")):
        configure(rabbitmq_url=bad, orderflow_home=plain.home)
        report = repaired()
        found(report, Verdict.UNREACHABLE, "broker", "RabbitMQ does not answer")
        assert report.exit_status == 2
        assert "secret" not in str(report.as_dict())

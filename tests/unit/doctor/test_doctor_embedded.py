"""``orderflow doctor`` on the embedded broker: open here, open in another process, closed, or not made yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.books import database_of
from lab.doctor import Report, Verdict, examine
from lab.doctor.arguments import tried_out
from lab.local import LocalShop
from lab.servers import free_ports
from lab.shop import wirings_of
from patterns import topology
from patterns.amqp import Channel, Outgoing
from patterns.broker import EmbeddedTransport
from patterns.settings import configure
from patterns.shop import SERVICES


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    ports = {f"{service}_port": port for service, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True)}
    configure(orderflow_home=tmp_path, **ports)
    yield tmp_path
    for service in SERVICES:
        database_of(service).close()


def made(home: Path) -> tuple[EmbeddedTransport, Channel]:
    """A broker with the shop's topology, as a process has it that runs the shop."""
    broker = EmbeddedTransport(home / "broker")
    channel = broker.connect("test").channel()
    for service in SERVICES:
        topology.declare(channel, service, wirings_of(service))
    return broker, channel


def words(report: Report, verdict: Verdict) -> str:
    return "\n".join(finding.what for finding in report.findings if finding.verdict is verdict)


def test_where_no_shop_was_ever_opened_nothing_is_made(home: Path) -> None:
    report = examine()
    assert report.exit_status == 0
    assert "There is no shop" in words(report, Verdict.WARNING)
    assert not list(home.iterdir())


def test_a_closed_shop_is_examined_and_repaired(home: Path) -> None:
    broker, channel = made(home)
    channel.delete_queue("product.topic")
    channel.delete_queue("user.parked")
    channel.declare_queue("user.parked", arguments={"x-queue-type": "classic"})
    channel.delete_queue("order.parked")
    channel.declare_queue("order.parked", arguments={"x-queue-type": "classic"})
    channel.publish([Outgoing("", "order.parked", b"precious")])
    channel.unbind("user.topic", "orderflow.topic", "stock.reserved")
    broker.close()
    before = words(examine(), Verdict.WRONG)
    for what in ("product.topic", "x-queue-type is classic, wanted is quorum", "user.topic (stock.reserved)"):
        assert what in before
    report = examine(repair=True)
    assert "order.parked: x-delivery-limit" in words(report, Verdict.WRONG)
    assert len(words(report, Verdict.WRONG).splitlines()) == 1
    again = EmbeddedTransport(home / "broker")
    assert again.queues()["order.parked"][0] == 1
    again.close()


def test_a_shop_open_in_another_process_is_examined_but_not_touched(home: Path) -> None:
    broker, channel = made(home)
    channel.delete_queue("product.topic")
    journal = (home / "broker" / "journal").read_bytes()
    report = examine(repair=True)
    assert "product.topic" in words(report, Verdict.WRONG)
    assert [deed.done for deed in report.deeds] == [False]
    assert "Close it first" in report.deeds[0].what
    assert "user does not answer" in words(report, Verdict.UNCHECKED), "no service listens on these ports"
    assert (home / "broker" / "journal").read_bytes() == journal
    broker.close()


def test_an_open_shop_is_healthy(tmp_path: Path) -> None:
    with LocalShop(orderflow_home=tmp_path) as shop:
        report = examine()
        assert not words(report, Verdict.WRONG) + words(report, Verdict.WARNING) + words(report, Verdict.UNCHECKED)
        assert report.exit_status == 0
        shop.stop("product")
        assert "product is not running" in words(examine(), Verdict.WARNING)


def test_arguments_are_tried_out_on_the_embedded_broker_too() -> None:
    broker = EmbeddedTransport()
    findings = list(tried_out(broker.connect("test")))
    assert {finding.verdict for finding in findings} == {Verdict.OK}
    assert not broker.queues(), "nothing is left behind"
    broker.close()

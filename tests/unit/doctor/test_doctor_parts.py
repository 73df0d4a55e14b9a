"""The doctor's parts that need no broker: words, dangers, exit status, and brokers that do not keep what they accept."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from lab.doctor import Deed, Report, Verdict
from lab.doctor.arguments import tried_out
from lab.doctor.dangers import dangers
from lab.doctor.findings import ok, unchecked, unreachable, warning, wrong
from lab.doctor.there import difference
from lab.doctor.wanted import Binding, wanted_by
from patterns.amqp import QueueInfo
from patterns.broker import EmbeddedTransport
from patterns.broker.channel import EmbeddedChannel
from patterns.settings import configure, settings
from patterns.shop import SERVICES

IN_FULL = "PRECONDITION_FAILED - inequivalent arg '{}' for queue 'main' in vhost '/': received {} but current is {}"


@pytest.mark.parametrize(("said", "told"), [
    (IN_FULL.format("x-delivery-limit", "'20'", "'1000'"), "x-delivery-limit is 1000, wanted is 20"),
    (
        IN_FULL.format("x-message-ttl", "none", "the value '1000' of type 'signedint'"),
        "x-message-ttl is 1000, wanted is none",
    ),
    (IN_FULL.format("x-overflow", "''", "'drop-head'"), "x-overflow is drop-head, wanted is empty"),
    ("something else", "something else"),
])
def test_the_brokers_words_for_a_difference_become_short(said: str, told: str) -> None:
    assert difference(said) == told


def test_what_is_wanted_is_what_is_declared() -> None:
    wanted = wanted_by(SERVICES)
    assert wanted.exchanges["orderflow.topic"] == "topic"
    assert wanted.queues["product.topic"]["x-delivery-limit"] == 1000
    assert Binding("orderflow.topic", "product.topic", "order.placed") in wanted.bindings
    assert wanted.readers["product"][-1] == "product.dead"
    assert wanted.writes["orderflow.topic"] >= {"order.placed", "stock.reserved"}
    assert "product.reserve" in wanted.writes[""]


def test_the_worst_finding_decides() -> None:
    assert Report("x", [ok("a", "b"), warning("a", "b", "c"), unchecked("a", "b", "c")]).exit_status == 0
    assert Report("x", [ok("a", "b"), wrong("a", "b", "c")]).exit_status == 1
    assert Report("x", [unreachable("a", "b", "c"), wrong("a", "b", "c")]).exit_status == 2


def test_a_report_is_shown_and_is_data() -> None:
    finding = wrong("queues", "gone [bold]", "do it", "https://example.org")
    report = Report("here", [finding], [Deed(True, "did"), Deed(False, "not")])
    screen = io.StringIO()
    report.show(Console(file=screen, width=80))
    for word in ("repaired did", "refused  not", "gone [bold]", "→ do it", "https://example.org", "1 wrong"):
        assert word in screen.getvalue()
    assert json.loads(json.dumps(report.as_dict()))["findings"][0]["verdict"] == Verdict.WRONG


@pytest.mark.parametrize(("given", "words"), [
    ({"queue_type": "classic"}, "QUEUE_TYPE=classic"),
    ({"order_deadline_seconds": 1}, "before its first retry"),
    ({"rpc_wait_seconds": 60}, "RPC_WAIT_SECONDS=60"),
    ({"gateway_latency_seconds": 40}, "gateway"),
    ({"journal_days": 0.0001}, "JOURNAL_DAYS"),
    ({"rabbitmq_url": "amqp://localhost"}, "DATABASE_URL is not"),
    ({"rabbitmq_url": "amqp://shop:x@example.org"}, "travel readable"),
    ({"rabbitmq_url": "amqps://example.org"}, "guest"),
])
def test_a_setting_that_endangers_is_told(given: dict[str, Any], words: str) -> None:
    configure(**given)
    assert any(words in finding.what for finding in dangers(settings()))


def test_the_default_settings_endanger_nothing() -> None:
    assert [finding.verdict for finding in dangers(settings())] == [Verdict.OK]


@pytest.mark.parametrize(("ignored", "words"), [
    ("x-delivery-limit", "x-delivery-limit=2 is ignored"),
    ("x-message-ttl", "x-message-ttl=100 on a quorum queue is ignored"),
    ("x-overflow", "x-overflow=reject-publish is ignored"),
])
def test_an_argument_that_is_accepted_and_ignored_is_found(
    monkeypatch: pytest.MonkeyPatch, ignored: str, words: str
) -> None:
    """As RabbitMQ does with every argument it does not know."""
    honest = EmbeddedChannel.declare_queue

    def careless(
        self: EmbeddedChannel, name: str, *, arguments: Mapping[str, Any] | None = None, **others: Any
    ) -> QueueInfo:
        kept = {key: value for key, value in (arguments or {}).items() if key != ignored}
        return honest(self, name, arguments=kept, **others)

    monkeypatch.setattr(EmbeddedChannel, "declare_queue", careless)
    monkeypatch.setattr("lab.doctor.bench.SOON", 0.5)
    broker = EmbeddedTransport()
    assert any(finding.verdict is Verdict.WRONG and words in finding.what for finding in tried_out(broker.connect("test")))
    broker.close()

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from patterns.amqp import Outgoing, Properties, Receipt
from patterns.broker import EmbeddedTransport, Journal, journal
from patterns.broker.data import JournalEntry, Message
from patterns.broker.framing import decode, encode
from patterns.broker.records import restarted
from patterns.errors import BrokerUnavailable, EmbeddedBrokerInUse, OrderflowError
from tests.unit.broker.bench import Bench


def records(count: int) -> list[JournalEntry]:
    return [("queue", f"q{number}", False, {}) for number in range(count)]


# --- frames ---


def test_a_torn_journal_keeps_every_whole_frame_wherever_it_is_torn() -> None:
    frames = [encode([record, ("gone", "q", 1)]) for record in records(6)]
    whole = b"".join(frames)
    for size in range(len(whole) + 1):
        kept, length = decode(whole[:size])
        full = sum(len(b"".join(frames[:number + 1])) <= size for number in range(len(frames)))
        assert length == len(b"".join(frames[:full]))
        assert kept == [each for record in records(full) for each in (record, ("gone", "q", 1))]


def test_a_broker_starts_from_a_journal_torn_at_any_byte_and_goes_on(tmp_path: Path) -> None:
    transport = EmbeddedTransport(tmp_path)
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    for number in range(3):
        channel.publish([Outgoing("", "q", b"%d" % number)])
    transport.close()
    whole = (tmp_path / "journal").read_bytes()
    for size in range(len(whole) + 1):
        (tmp_path / "journal").write_bytes(whole[:size])
        expected = [message.body for message in Journal.read(tmp_path).get("q", [])]
        assert expected == [b"0", b"1", b"2"][:len(expected)]
        transport = EmbeddedTransport(tmp_path)
        channel = transport.connect("test").channel()
        channel.declare_queue("q")
        channel.publish([Outgoing("", "q", b"new")])
        transport.close()
        assert [message.body for message in Journal.read(tmp_path)["q"]] == [*expected, b"new"]
    assert expected == [b"0", b"1", b"2"]


@pytest.mark.parametrize("damage", [
    lambda line: line.replace(b"q1", b"q9"), lambda line: line[:-2] + b"\n", lambda _: b"\n", lambda _: b"garbage\n",
])
def test_damage_is_not_taken_for_a_crash(damage: Any) -> None:
    frames = [encode([record]) for record in records(3)]
    frames[1] = damage(frames[1])
    with pytest.raises(OrderflowError, match="damaged in line 2"):
        decode(b"".join(frames))


@pytest.mark.parametrize("body", [b"", b'{"a": "\xc3\xa9"}', b"\xff\xfe", b"\n\r\x00", "\u2028".encode()])
def test_bodies_come_back_as_they_were(body: bytes) -> None:
    message = Message("x", "k\n", body, Properties())
    assert decode(encode([("put", message, [("q", 1, None)])]))[0] == [("put", message, [["q", 1, None]])]


def test_properties_come_back_as_they_were() -> None:
    headers = {
        "text": "é\ud800", "int": 2**60, "float": 0.1, "none": None, "bool": True, "bytes": b"\xff", "list": [1, {"a": b""}],
        "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "decimal": Decimal("1.50"), "table": {"nested": {"deep": []}},
    }
    full = Properties("id", "type", "correlation", "app", 1700000000, "text/plain", "reply", "1000", False, headers)
    for properties in (full, Properties(), Properties(content_type=None)):
        [(_, message, _)] = decode(encode([("put", Message("", "", b"", properties), [])]))[0]
        assert message.properties == properties
        assert {name: type(value) for name, value in message.properties.headers.items()} == {
            name: type(value) for name, value in properties.headers.items()
        }


# --- what survives ---


def test_what_is_durable_survives_and_nothing_else(bench: Bench) -> None:
    bench.exchange("lasting", "topic")
    bench.exchange("passing", "topic", durable=False)
    bench.queue("lasting")
    bench.queue("quorum", kind="quorum")
    bench.queue("passing", durable=False)
    bench.queue("mine", exclusive=True)
    for queue in ("lasting", "quorum", "passing", "mine"):
        bench.bind(queue, "lasting", "k")
        bench.bind(queue, "passing", "k")
    bench.publish("k", "kept", "lasting")
    bench.publish("k", "kept in quorum queues only", "lasting", persistent=False)
    bench.restart()
    assert sorted(bench.machine.queues) == ["lasting", "quorum"]
    assert "lasting" in bench.machine.exchanges
    assert "passing" not in bench.machine.exchanges
    assert bench.ready("lasting") == ["kept"]
    assert bench.ready("quorum") == ["kept", "kept in quorum queues only"]
    bench.publish("k", "bound still", "lasting")
    assert bench.ready("lasting") == ["kept", "bound still"]


def test_after_a_restart_everything_may_have_been_seen(bench: Bench) -> None:
    bench.queue("q", kind="quorum", delivery_limit=5)
    bench.publish("q", "a")
    bench.publish("q", "b")
    bench.consume("q", prefetch=1)
    bench.nack(1)
    bench.restart()
    assert [(entry.redelivered, entry.returns) for entry in bench.machine.queues["q"].ready] == [(True, 1), (True, 0)]


def test_what_is_done_with_stays_gone(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", dead_letter_exchange="", dead_letter_routing_key="dead")
    for body in ("acked", "auto", "dead", "purged"):
        bench.publish("q", body)
    bench.queue("read")
    bench.publish("read", "auto too")
    bench.consume("read", auto_ack=True)
    bench.machine.get(bench.channel, "q", 0.0)
    bench.ack(2)
    bench.machine.get(bench.channel, "q", 0.0, auto_ack=True)
    bench.machine.get(bench.channel, "q", 0.0)
    bench.nack(4, requeue=False)
    bench.machine.purge(bench.channel, "q", 0.0)
    bench.restart()
    assert {name: bench.ready(name) for name in ("q", "dead", "read")} == {"q": [], "dead": ["dead"], "read": []}


def test_deleted_things_stay_deleted(bench: Bench) -> None:
    bench.queue("q")
    bench.exchange("x", "fanout")
    bench.exchange("y", "fanout")
    bench.exchange("z", "fanout")
    bench.bind("q", "z")
    bench.bind("q", "x")
    bench.bind("q", "y")
    bench.publish("q", "old")
    bench.machine.get(bench.channel, "q", 0.0)
    bench.machine.delete_queue(bench.channel, "q", 0.0)
    bench.queue("gone")
    bench.machine.delete_queue(bench.channel, "gone", 0.0)
    bench.machine.delete_exchange(bench.channel, "x", 0.0)
    bench.queue("q")
    bench.ack(1)
    bench.bind("q", "y")
    bench.machine.unbind(bench.channel, "q", "y", "", 0.0)
    bench.restart()
    assert bench.ready("q") == []
    assert "gone" not in bench.machine.queues
    assert "x" not in bench.machine.exchanges
    assert bench.machine.exchanges["y"].bindings == bench.machine.exchanges["z"].bindings == {}


def test_a_restart_without_a_journal_keeps_the_same(bench: Bench) -> None:
    bench.queue("q", kind="quorum", dead_letter_exchange="amq.direct", dead_letter_strategy="at-least-once",
                overflow="reject-publish", delivery_limit=5)
    bench.queue("gone")
    for queue, body in (("q", "dead, with nowhere to go"), ("q", "returned"), ("q", "held"), ("gone", "held")):
        bench.publish(queue, body)
        bench.machine.get(bench.channel, queue, 0.0)
    bench.nack(1, requeue=False)
    bench.nack(2)
    bench.machine.delete_queue(bench.channel, "gone", 0.0)
    machine = restarted(bench.machine, 0.0, life="1")
    assert list(machine.queues) == ["q"]
    assert [(entry.message.body, entry.returns) for entry in machine.queues["q"].ready] == [
        (b"dead, with nowhere to go", 0), (b"returned", 1), (b"held", 0)
    ]


def test_a_body_in_several_queues_is_written_once(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.queue(name)
        bench.bind(name, "amq.fanout")
    bench.publish("", "only once", "amq.fanout")
    bench.write()
    assert bench.journal.count(b"only once") == 1
    bench.restart()
    assert bench.ready("one") == bench.ready("two") == bench.ready("three") == ["only once"]


def test_a_record_from_the_future_is_refused(bench: Bench) -> None:
    bench.journal = encode([("teleport", "q")])
    with pytest.raises(OrderflowError, match="teleport"):
        bench.reread()


# --- the file ---


@pytest.fixture
def transport(tmp_path: Path) -> Iterator[EmbeddedTransport]:
    transport = EmbeddedTransport(tmp_path)
    yield transport
    transport.close()


def test_a_folder_has_one_broker(transport: EmbeddedTransport, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedBrokerInUse, match=f"{tmp_path} is in use by process .*ORDERFLOW_HOME"):
        EmbeddedTransport(tmp_path)
    with pytest.raises(EmbeddedBrokerInUse), Journal.locked(tmp_path):
        pass
    transport.close()
    with Journal.locked(tmp_path), pytest.raises(EmbeddedBrokerInUse):
        EmbeddedTransport(tmp_path)
    EmbeddedTransport(tmp_path).close()


def test_a_broker_that_cannot_start_lets_go_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"garbage\n")
    with pytest.raises(OrderflowError, match="damaged") as failed:
        EmbeddedTransport(tmp_path)
    (tmp_path / "journal").unlink()
    EmbeddedTransport(tmp_path).close()
    assert failed.value is not None  # its traceback held on to the broker all the while


def test_reading_needs_no_lock(transport: EmbeddedTransport, tmp_path: Path) -> None:
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    channel.publish([Outgoing("", "q", b"ready"), Outgoing("", "q", b"too")])
    channel.get("q")
    assert [message.body for message in Journal.read(tmp_path)["q"]] == [b"ready", b"too"]


def test_reading_a_folder_without_a_journal_finds_nothing(tmp_path: Path) -> None:
    assert Journal.read(tmp_path / "nowhere") == {}


def test_the_journal_shrinks_when_most_of_it_is_about_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SMALL", 10_000)
    transport = EmbeddedTransport(tmp_path)
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    channel.declare_queue("kept")
    channel.publish([Outgoing("", "kept", b"kept")])
    sizes = []
    for number in range(500):
        channel.publish([Outgoing("", "q", b"x" * 100)])
        assert channel.get("q", auto_ack=True) is not None, number
        sizes.append((tmp_path / "journal").stat().st_size)
    assert max(sizes) < 11_000
    assert sum(after < before for before, after in pairwise(sizes)) > 5
    transport.close()
    assert {name: len(messages) for name, messages in Journal.read(tmp_path).items()} == {"q": 0, "kept": 1}


def test_a_journal_of_living_messages_is_seldom_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SMALL", 1000)
    rewritten = []
    compact = Journal.compact
    monkeypatch.setattr(Journal, "compact", lambda self, records: (rewritten.append(1), compact(self, records)))
    transport = EmbeddedTransport(tmp_path)
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    for _ in range(300):
        channel.publish([Outgoing("", "q", b"x" * 100)])
    transport.close()
    assert len(rewritten) < 10


def test_a_full_disk_confirms_nothing_and_heals(
    transport: EmbeddedTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    channel.publish([Outgoing("", "q", b"safe")])
    with monkeypatch.context() as patched:
        def no_space(file: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        patched.setattr(journal, "_write", no_space)
        assert channel.publish([Outgoing("", "q", b"not safe")]) == [Receipt.UNKNOWN]
        with pytest.raises(BrokerUnavailable, match="No space left"):
            channel.publish([Outgoing("", "q", b"not safe")])
        with pytest.raises(BrokerUnavailable, match="No space left"):
            transport.connect("test")
    channel = transport.connect("test").channel()
    assert channel.declare_queue("q", passive=True).messages == 1
    assert [message.body for message in Journal.read(tmp_path)["q"]] == [b"safe"]


WRITER = """
import sys
from pathlib import Path
from patterns.amqp import Outgoing, Receipt
from patterns.broker import EmbeddedTransport

transport = EmbeddedTransport(Path(sys.argv[1]))
channel = transport.connect("writer").channel()
channel.declare_queue("q")
number = 0
while True:
    batch = [Outgoing("", "q", str(number + each).encode()) for each in range(7)]
    assert channel.publish(batch) == [Receipt.CONFIRMED] * 7
    number += 7
    print(number, flush=True)
"""


def test_what_was_confirmed_survives_kill_9(tmp_path: Path) -> None:
    for _ in range(3):
        for leftover in tmp_path.iterdir():
            leftover.unlink()
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                if int(line) >= 700:
                    break
            writer.kill()
            confirmed = int(([line, *writer.stdout.read().splitlines()])[-1])
        bodies = [int(message.body) for message in Journal.read(tmp_path)["q"]]
        assert bodies == list(range(len(bodies)))
        assert confirmed <= len(bodies) <= confirmed + 7
        transport = EmbeddedTransport(tmp_path)
        assert transport.queues()["q"] == (len(bodies), 0, 0)
        transport.close()

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from patterns.amqp import DIRECT_REPLY_TO, Cancelled, Channel, Delivery, Outgoing, Properties, Receipt
from patterns.broker import EmbeddedTransport
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost

SOON = 10.0
"""Longer than anything here takes; only a failing test waits that long."""


@pytest.fixture
def transport() -> Iterator[EmbeddedTransport]:
    transport = EmbeddedTransport()
    yield transport
    transport.close()


@pytest.fixture
def channel(transport: EmbeddedTransport) -> Channel:
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    return channel


def say(channel: Channel, *bodies: str, to: str = "q", **properties: Any) -> list[Receipt]:
    return channel.publish([Outgoing("", to, body.encode(), Properties(**properties)) for body in bodies])


def heard(channel: Channel, limit: int = 100) -> list[str]:
    return [item.body.decode() for item in channel.take(limit, SOON) if isinstance(item, Delivery)]


def in_background(work: Callable[[], Any]) -> Future[Any]:
    """Start work that waits; the future ends when it does."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future


def test_a_message_goes_in_and_comes_out(channel: Channel) -> None:
    properties = Properties(message_id="1", headers={"a": 1})
    assert channel.publish([Outgoing("", "q", b"body", properties)]) == [Receipt.CONFIRMED]
    tag = channel.consume("q")
    assert channel.take(10, SOON) == [Delivery("q", 1, "", "q", b"body", properties, False, tag)]


def test_each_message_has_its_receipt_in_order(channel: Channel) -> None:
    channel.declare_queue("full", arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
    messages = [Outgoing("", to, b"") for to in ("q", "nowhere", "full", "q")]
    assert channel.publish([*messages, Outgoing("", "nowhere", b"", mandatory=False)]) == [
        Receipt.CONFIRMED, Receipt.RETURNED, Receipt.REFUSED, Receipt.CONFIRMED, Receipt.CONFIRMED
    ]


def test_a_mistake_leaves_what_follows_unknown_and_is_told_at_the_next_use(channel: Channel) -> None:
    messages = [Outgoing("", "q", b""), Outgoing("nowhere", "q", b""), Outgoing("", "q", b"")]
    assert channel.publish(messages) == [Receipt.CONFIRMED, Receipt.UNKNOWN, Receipt.UNKNOWN]
    assert not channel.is_open
    for use in (lambda: channel.publish(messages), lambda: channel.take(1, 0), lambda: channel.ack(1)):
        with pytest.raises(ChannelClosed, match="404 NOT_FOUND - no exchange 'nowhere'"):
            use()
    channel.close()
    channel.close()


def test_a_wrong_ack_is_told_at_the_next_use(channel: Channel) -> None:
    channel.ack(5)
    with pytest.raises(ChannelClosed) as caught:
        channel.take(1, SOON)
    assert caught.value.code == 406


def test_take_waits_until_something_arrives(channel: Channel, transport: EmbeddedTransport) -> None:
    channel.consume("q")
    taking = in_background(lambda: heard(channel))
    say(transport.connect("other").channel(), "at last")
    assert taking.result(SOON) == ["at last"]


def test_take_hands_out_at_most_the_limit(channel: Channel) -> None:
    say(channel, "a", "b", "c")
    channel.consume("q")
    assert [heard(channel, 2), heard(channel, 2)] == [["a", "b"], ["c"]]


def test_take_gives_up_when_time_runs_out(channel: Channel) -> None:
    channel.consume("q")
    started = time.monotonic()
    assert channel.take(1, 0.05) == []
    assert time.monotonic() - started >= 0.05
    assert channel.take(1, 0) == []


def test_wake_ends_the_current_take_or_the_next(channel: Channel) -> None:
    channel.wake()
    assert channel.take(1, None) == []
    taking = in_background(lambda: channel.take(1, None))
    channel.wake()
    assert taking.result(SOON) == []
    assert channel.take(1, 0.01) == []


def test_requests_and_replies(transport: EmbeddedTransport, channel: Channel) -> None:
    asker = transport.connect("asker").channel()
    asker.consume(DIRECT_REPLY_TO, auto_ack=True)
    channel.consume("q")

    def serve() -> None:
        [request] = channel.take(1, SOON)
        assert isinstance(request, Delivery)
        assert request.properties.reply_to is not None
        say(channel, "answer", to=request.properties.reply_to, correlation_id=request.properties.message_id)

    serving = in_background(serve)
    say(asker, "question", reply_to=DIRECT_REPLY_TO, message_id="7")
    [reply] = asker.take(1, SOON)
    assert isinstance(reply, Delivery)
    assert (reply.body, reply.tag, reply.properties.correlation_id) == (b"answer", None, "7")
    serving.result(SOON)


def test_a_deleted_queue_cancels_its_consumer(transport: EmbeddedTransport, channel: Channel) -> None:
    tag = channel.consume("q")
    transport.connect("other").channel().delete_queue("q")
    assert channel.take(10, SOON) == [Cancelled("q", tag)]


def test_quorum_queues_count_deliveries_in_a_header(channel: Channel) -> None:
    channel.declare_queue("quorum", arguments={"x-queue-type": "quorum", "x-delivery-limit": 5})
    say(channel, "m", to="quorum", headers={"mine": 1})
    channel.consume("quorum")
    seen = []
    for _ in range(3):
        [delivery] = channel.take(1, SOON)
        assert isinstance(delivery, Delivery)
        seen.append(dict(delivery.properties.headers))
        channel.nack(delivery.tag or 0)
    assert seen == [{"mine": 1}, {"mine": 1, "x-delivery-count": 1}, {"mine": 1, "x-delivery-count": 2}]


# --- time ---


def test_what_expires_wakes_whoever_waits_for_it(channel: Channel) -> None:
    channel.declare_queue(
        "delay", arguments={"x-message-ttl": 50, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"}
    )
    channel.consume("q")
    started = time.monotonic()
    say(channel, "later", to="delay")
    assert heard(channel) == ["later"]
    assert 0.04 < time.monotonic() - started < SOON / 2


def test_a_shorter_life_is_not_kept_waiting_by_a_longer_one(channel: Channel) -> None:
    for name, life in (("long", 60_000), ("short", 20)):
        channel.declare_queue(
            name, arguments={"x-message-ttl": life, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"}
        )
        say(channel, name, to=name)
    channel.consume("q")
    assert heard(channel) == ["short"]  # and now the timer is waiting for the long one
    say(channel, "shorter than what it waits for", to="short")
    assert heard(channel) == ["shorter than what it waits for"]


def test_nobody_keeps_a_thread_for_a_clock_that_is_not_needed(channel: Channel) -> None:
    before = threading.active_count()
    say(channel, "a")
    assert threading.active_count() == before


def test_an_idle_broker_uses_no_processor_time(channel: Channel) -> None:
    say(channel, "m", expiration="60000")  # the timer runs
    channel.consume("q")
    heard(channel)
    taking = in_background(lambda: channel.take(1, None))
    used, started = time.process_time(), time.monotonic()
    taking_done = threading.Event()
    taking.add_done_callback(lambda _: taking_done.set())
    assert not taking_done.wait(0.5)
    assert time.process_time() - used < (time.monotonic() - started) / 5
    channel.wake()
    assert taking.result(SOON) == []


# --- endings ---


def test_a_killed_connection_loses_its_client_and_requeues(transport: EmbeddedTransport, channel: Channel) -> None:
    doomed = transport.connect("doomed.ears")
    victim = doomed.channel()
    say(channel, "m")
    victim.consume("q")
    assert heard(victim) == ["m"]
    taking = in_background(lambda: victim.take(1, None))
    assert transport.queues()["q"] == (0, 1, 1)
    assert transport.kill("doomed") == 1
    with pytest.raises(ConnectionLost, match=r"doomed\.ears"):
        taking.result(SOON)
    assert transport.queues()["q"] == (1, 0, 0)
    assert not doomed.is_open
    assert not victim.is_open
    for use in (doomed.channel, lambda: victim.ack(1), lambda: say(victim, "x"), lambda: victim.declare_queue("q")):
        with pytest.raises(ConnectionLost):
            use()
    doomed.close()
    assert channel.is_open
    assert transport.kill("nobody") == 0


def test_an_unknown_exchange_kind_costs_the_connection(transport: EmbeddedTransport) -> None:
    connection = transport.connect("test")
    sibling = connection.channel()
    with pytest.raises(ConnectionLost, match="503"):
        connection.channel().declare_exchange("x", "nonsense")
    assert not connection.is_open
    with pytest.raises(ConnectionLost):
        sibling.take(1, 0)


def test_closing_a_connection_closes_its_channels_and_twice_is_fine(transport: EmbeddedTransport) -> None:
    connection = transport.connect("test")
    channel = connection.channel()
    connection.close()
    connection.close()
    assert not channel.is_open
    with pytest.raises(BrokerUnavailable):
        channel.take(1, 0)
    with pytest.raises(BrokerUnavailable):
        connection.channel()


def test_closing_a_channel_requeues_and_spares_the_others(transport: EmbeddedTransport, channel: Channel) -> None:
    say(channel, "m")
    connection = transport.connect("two")
    one, two = connection.channel(), connection.channel()
    one.consume("q")
    assert heard(one) == ["m"]
    one.close()
    two.consume("q")
    [again] = two.take(1, SOON)
    assert isinstance(again, Delivery)
    assert again.redelivered


@pytest.mark.parametrize("lasting", [True, False])
def test_a_restart_keeps_what_is_durable(tmp_path: Path, lasting: bool) -> None:
    transport = EmbeddedTransport(tmp_path if lasting else None)
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    channel.declare_queue("passing", durable=False)
    say(channel, "a", "b")
    say(channel, "not persistent", persistent=False)
    taking = in_background(lambda: channel.take(1, None))
    transport.restart()
    with pytest.raises(ConnectionLost):
        taking.result(SOON)
    assert transport.queues() == {"q": (2, 0, 0)}
    channel = transport.connect("test").channel()
    channel.consume("q")
    assert [(item.body, item.redelivered) for item in channel.take(9, SOON) if isinstance(item, Delivery)] == [
        (b"a", True), (b"b", True)
    ]
    transport.close()


def test_a_stopped_broker_can_be_waited_for(transport: EmbeddedTransport, channel: Channel) -> None:
    transport.stop()
    with pytest.raises(ConnectionLost):
        channel.get("q")
    with pytest.raises(BrokerUnavailable, match="stopped"):
        transport.connect("test")
    transport.start()
    assert transport.connect("test").channel().declare_queue("q", passive=True).messages == 0


def test_a_closed_transport_stays_closed(transport: EmbeddedTransport, channel: Channel) -> None:
    transport.close()
    transport.close()
    for use in (lambda: transport.connect("test"), transport.start, lambda: channel.take(1, None)):
        with pytest.raises(BrokerUnavailable, match="closed"):
            use()


@pytest.mark.parametrize("down", ["close", "stop"])
def test_clients_may_leave_after_the_broker(tmp_path: Path, down: str) -> None:
    transport = EmbeddedTransport(tmp_path)
    connection = transport.connect("test")
    channel = connection.channel()
    channel.declare_queue("q", arguments={"x-queue-type": "quorum"})
    say(channel, "held")
    channel.get("q")
    getattr(transport, down)()
    written = (tmp_path / "journal").read_bytes()
    channel.close()
    connection.close()
    assert transport.kill("test") == 0
    assert (tmp_path / "journal").read_bytes() == written
    transport.close()


def test_lives_go_on_while_the_broker_is_down(tmp_path: Path) -> None:
    transport = EmbeddedTransport(tmp_path)
    channel = transport.connect("test").channel()
    channel.declare_queue("q")
    channel.declare_queue(
        "delay", arguments={"x-message-ttl": 30, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"}
    )
    say(channel, "m", to="delay")
    transport.stop()
    transport.start()
    assert transport.wait_until(lambda: transport.queues()["q"][0] == 1, SOON)
    transport.close()


# --- waiting ---


def test_wait_until_sees_every_change_and_knows_when_to_give_up(
    transport: EmbeddedTransport, channel: Channel
) -> None:
    waited = in_background(lambda: transport.wait_until(lambda: transport.queues()["q"] == (3, 0, 0), SOON))
    for body in "abc":
        assert not waited.done()
        say(channel, body)
    assert waited.result(SOON) is True
    assert transport.wait_until(lambda: False, 0.02) is False


# --- many at once ---


def test_many_threads_publish_on_one_channel_and_many_read(transport: EmbeddedTransport, channel: Channel) -> None:
    count, threads = 300, 4
    received: list[str] = []
    done = threading.Event()

    def read() -> None:
        mine = transport.connect("reader").channel()
        mine.qos(10)
        mine.consume("q")
        while not done.is_set():
            items = [item for item in mine.take(10, 0.5) if isinstance(item, Delivery)]
            received.extend(item.body.decode() for item in items)
            if items:
                mine.ack(items[-1].tag or 0, multiple=True)

    readers = [in_background(read) for _ in range(3)]
    writers = [
        in_background(lambda name=name: [say(channel, f"{name}.{number}") for number in range(count)])
        for name in range(threads)
    ]
    for writer in writers:
        assert writer.result(SOON * 2) == [[Receipt.CONFIRMED]] * count
    assert transport.wait_until(lambda: transport.queues()["q"][:2] == (0, 0), SOON)
    done.set()
    for reader in readers:
        reader.result(SOON)
    assert sorted(received) == sorted(f"{name}.{number}" for name in range(threads) for number in range(count))

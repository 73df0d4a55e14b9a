"""What the connection to RabbitMQ says and does when it is cut, starved, paused, or told nonsense; nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from lab.faults.proxy import Proxy
from lab.servers import PrivateRabbitMQ
from patterns import connection_asking, connection_thread
from patterns.amqp import Channel, Connection, Outgoing, Properties, Receipt
from patterns.connection import RabbitTransport
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost

pytestmark = pytest.mark.real

SOON = 60.0
"""Longer than anything here takes on a slow machine; only a failing test waits so long."""


@pytest.fixture
def url(private_rabbitmq: PrivateRabbitMQ) -> Iterator[str]:
    """A virtual host of the test's own, on a node it may mistreat."""
    name = private_rabbitmq.fresh_vhost()
    yield private_rabbitmq.url(name)
    private_rabbitmq.recover()
    private_rabbitmq.delete_vhost(name)


@pytest.fixture
def connect(url: str) -> Iterator[Callable[..., Connection]]:
    """Makes connections, closed after the test."""
    made: list[Connection] = []

    def connect(name: str = "test", to: str = url, **options: Any) -> Connection:
        made.append(RabbitTransport(to, **options).connect(name))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("amqp:")]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def eventually(check: Callable[[], bool]) -> None:
    until, pause = time.monotonic() + SOON, threading.Event()
    while not check():
        assert time.monotonic() < until, "not in time"
        pause.wait(0.02)


def messages(*bodies: str) -> list[Outgoing]:
    return [Outgoing("", "q", body.encode()) for body in bodies]


def drained(channel: Channel) -> list[str]:
    found = []
    while (delivery := channel.get("q", auto_ack=True)) is not None:
        found.append(delivery.body.decode())
    return found


def names(node: PrivateRabbitMQ) -> str:
    """The connections RabbitMQ knows, by name."""
    return node.eval("rabbit_networking:connection_info_all([client_properties]).")


def publish_on(channel: Channel, begun: threading.Event) -> dict[str, Receipt]:
    """Publish until the connection is lost; what became of each message."""
    receipts: dict[str, Receipt] = {}
    try:
        while True:
            batch = [str(len(receipts) + number) for number in range(32)]
            receipts.update(zip(batch, channel.publish(messages(*batch)), strict=True))
            begun.set()
    except ConnectionLost:
        return receipts


def test_who_is_cut_off_by_an_operator_is_told_so_at_once(
    private_rabbitmq: PrivateRabbitMQ, connect: Callable[..., Connection], pool: ThreadPoolExecutor
) -> None:
    channel = connect().channel()
    channel.declare_queue("q", arguments={"x-queue-type": "quorum"})
    begun = threading.Event()
    publishing = pool.submit(publish_on, channel, begun)
    taking = pool.submit(channel.take, 1, None)
    assert begun.wait(SOON)
    assert private_rabbitmq.close_all_connections() >= 1
    receipts = publishing.result(SOON)
    with pytest.raises(ConnectionLost, match="closed by an operator"):
        taking.result(SOON)
    assert set(receipts.values()) <= {Receipt.CONFIRMED, Receipt.UNKNOWN}
    confirmed = {body for body, receipt in receipts.items() if receipt is Receipt.CONFIRMED}
    assert confirmed <= set(drained(connect().channel()))


def test_wherever_the_line_is_cut_nothing_confirmed_is_missing(url: str, connect: Callable[..., Connection]) -> None:
    channel = connect().channel()
    channel.declare_queue("q")
    outcomes: set[Receipt] = set()
    for size in range(20, 4000, 173):  # a batch is about 3,000 bytes
        proxy = Proxy(url)
        shaky = connect("shaky", proxy.url)
        publishing = shaky.channel()
        proxy.cut_after(size, "server")
        receipts = publishing.publish(messages(*map(str, range(30))))
        if Receipt.UNKNOWN not in receipts:  # it was not cut: there was less to send
            proxy.cut()
        with pytest.raises(ConnectionLost):
            publishing.take(1, SOON)
        found = set(drained(channel))
        assert {str(number) for number, receipt in enumerate(receipts) if receipt is Receipt.CONFIRMED} <= found
        assert not shaky.is_open
        proxy.close()
        outcomes.update(receipts)
    assert outcomes == {Receipt.CONFIRMED, Receipt.UNKNOWN}


def test_a_broker_out_of_memory_is_given_up_after_a_while(
    private_rabbitmq: PrivateRabbitMQ, connect: Callable[..., Connection]
) -> None:
    channel = connect(blocked_timeout=0.5).channel()
    channel.declare_queue("q")
    private_rabbitmq.raise_memory_alarm()
    assert channel.publish(messages("stuck"), SOON) == [Receipt.UNKNOWN]
    with pytest.raises(ConnectionLost, match="memory or disk full"):
        channel.publish(messages("no more"))
    private_rabbitmq.raise_memory_alarm(False)
    assert connect().channel().publish(messages("again"), SOON) == [Receipt.CONFIRMED]


@pytest.mark.whole
def test_a_paused_broker_is_noticed_by_its_missing_heartbeats(
    private_rabbitmq: PrivateRabbitMQ, connect: Callable[..., Connection], pool: ThreadPoolExecutor
) -> None:
    channel = connect(heartbeat=1).channel()
    channel.declare_queue("q")
    private_rabbitmq.pause()
    assert channel.publish(messages("m"), timeout=0.1) == [Receipt.UNKNOWN]
    taking = pool.submit(channel.take, 1, None)
    declaring = pool.submit(channel.declare_queue, "q")
    for waiting in (taking, declaring):
        with pytest.raises(ConnectionLost):
            waiting.result(SOON)


def test_a_paused_broker_does_not_keep_anybody_from_leaving(
    private_rabbitmq: PrivateRabbitMQ, connect: Callable[..., Connection], pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_thread, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(connection_asking, "ANSWER_SECONDS", 0.1)
    leaving, asking = connect("leaving"), connect("asking")
    channels = [leaving.channel(), asking.channel()]
    private_rabbitmq.pause()
    taking = [pool.submit(channel.take, 1, None) for channel in channels]
    leaving.close()
    with pytest.raises(ConnectionLost, match="did not answer"):
        asking.channel()
    for each in taking:
        with pytest.raises(ConnectionLost):
            each.result(15)  # sooner than any heartbeat is missed
    assert not leaving.is_open
    assert not asking.is_open


def test_heartbeats_go_on_while_nobody_calls(private_rabbitmq: PrivateRabbitMQ, connect: Callable[..., Connection]) -> None:
    connection = connect(heartbeat=2)

    def received() -> int:
        answer = private_rabbitmq.eval("[[{recv_cnt,N}]]=rabbit_networking:connection_info_all([recv_cnt]),N.")
        return int(answer)

    before = received()
    eventually(lambda: received() >= before + 2)
    assert connection.is_open


def test_a_crash_on_the_connections_thread_ends_the_connection_and_is_told(
    private_rabbitmq: PrivateRabbitMQ, connect: Callable[..., Connection], pool: ThreadPoolExecutor
) -> None:
    connection = connect("crashing")
    channel = connection.channel()
    taking: Future[Any] = pool.submit(channel.take, 1, None)
    channel.ack(-1)  # no number on the wire is less than nothing
    for use in (taking.result, connection.channel, lambda: channel.publish(messages("m")), lambda: channel.ack(1)):
        with pytest.raises(ConnectionLost, match="Talking to RabbitMQ failed"):
            while True:
                use()
    eventually(lambda: '<<"crashing">>' not in names(private_rabbitmq))


def test_rabbitmq_shows_who_is_connected_until_they_leave(
    private_rabbitmq: PrivateRabbitMQ, connect: Callable[..., Connection]
) -> None:
    connection = connect("the order service")
    assert '<<"the order service">>' in names(private_rabbitmq)
    connection.close()
    connection.close()
    eventually(lambda: '<<"the order service">>' not in names(private_rabbitmq))
    with pytest.raises(ConnectionLost, match="closed by its owner"):
        connection.channel()


def test_what_was_acknowledged_before_leaving_is_acknowledged(connect: Callable[..., Connection]) -> None:
    connection = connect()
    channel = connection.channel()
    channel.declare_queue("q")
    channel.publish(messages(*map(str, range(200))))
    channel.consume("q")
    taken = 0
    while taken < 200:
        for delivery in channel.take(200, SOON):
            channel.ack(delivery.tag)  # type: ignore[union-attr, arg-type]
            taken += 1
    connection.close()
    assert connect().channel().declare_queue("q", passive=True).messages == 0


def test_closing_a_channel_tells_who_waits_on_it_and_leaves_the_others(
    connect: Callable[..., Connection], pool: ThreadPoolExecutor
) -> None:
    connection = connect()
    closing, other = connection.channel(), connection.channel()
    taking = pool.submit(closing.take, 1, None)
    closing.close()
    with pytest.raises(ChannelClosed, match="closed by its owner"):
        taking.result(SOON)
    closing.close()
    other.declare_queue("q")
    assert other.is_open


def test_headers_too_long_for_a_frame_are_refused_before_rabbitmq_hangs_up(connect: Callable[..., Connection]) -> None:
    channel = connect().channel()
    channel.declare_queue("q")
    for size, fits in ((130_000, True), (131_072, False), (1_000_000, False)):
        message = Outgoing("", "q", b"m", Properties(headers={"long": "x" * size}))
        if fits:
            assert channel.publish([message]) == [Receipt.CONFIRMED]
        else:
            with pytest.raises(ValueError, match="AMQP cannot carry this: headers of"):
                channel.publish([message])
    assert channel.publish(messages("still works", "m" * 1_000_000)) == [Receipt.CONFIRMED] * 2
    assert len(drained(channel)) == 3


@pytest.mark.parametrize(("user", "vhost", "reason"), [("nobody:x", None, "password"), (None, "nowhere", "virtual host")])
def test_who_may_not_come_in_is_told_why(url: str, user: str | None, vhost: str | None, reason: str) -> None:
    access, _, place = url.removeprefix("amqp://").rpartition("@")
    address, _, own = place.partition("/")
    wrong = f"amqp://{user or access}@{address}/{vhost or own}"
    with pytest.raises(BrokerUnavailable, match=reason) as caught:
        RabbitTransport(wrong).connect("test")
    assert (user or access).partition(":")[2] not in str(caught.value).replace("password", "")


def test_a_channel_too_many_is_refused_and_the_connection_works_on(connect: Callable[..., Connection], url: str) -> None:
    connection = connect(to=f"{url}?channel_max=2")
    first, _ = connection.channel(), connection.channel()
    with pytest.raises(BrokerUnavailable, match="as many channels"):
        connection.channel()
    first.close()
    connection.channel().declare_queue("q")

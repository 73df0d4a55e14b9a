"""A connection and its channels, and which node of a cluster is asked first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from patterns import connection
from patterns.connection import RabbitConnection, RabbitTransport
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost
from tests.unit.connection.stand_in import Pika


class Thread:
    """Stands in for the connection's thread.  ``ASKED``: every host that was asked; ``AWAY``: those that do not answer."""

    ASKED: ClassVar[list[str]] = []
    AWAY: ClassVar[set[str]] = set()

    def __init__(self, parameters: Any, name: str, ended: Callable[[ConnectionLost], None]) -> None:
        self.parameters, self.name, self.ended = parameters, name, ended
        self.lost: ConnectionLost | None = None
        self.blocked: str | None = None
        self.pika, self.spoken, self.refuses = self, Pika(), False

    def open(self) -> None:
        self.ASKED.append(self.parameters.host)
        if self.parameters.host in self.AWAY:
            raise BrokerUnavailable(f"nobody at {self.parameters.host}.")

    def channel(self, on_open_callback: Callable[[Any], None]) -> None:
        on_open_callback(self.spoken)

    def post(self, action: Callable[[], object]) -> None:
        if self.refuses:
            raise ConnectionLost("gone")
        action()

    def close(self) -> None:
        self.lost = ConnectionLost("closed")
        self.ended(self.lost)


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PikaThread", Thread)
    monkeypatch.setattr(Thread, "ASKED", [])
    monkeypatch.setattr(Thread, "AWAY", set())


def cluster(**options: Any) -> RabbitTransport:
    return RabbitTransport("amqp://one/shop,amqp://two/shop,amqp://three/shop", **options)


def thread_of(made: RabbitConnection) -> Any:
    return made._thread


# -- the transport


def test_each_connection_begins_with_the_node_after_the_one_before_it() -> None:
    transport = cluster()
    for _ in range(4):
        transport.connect("x")
    assert Thread.ASKED == ["one", "two", "three", "one"]


def test_a_node_that_is_away_is_passed_over() -> None:
    Thread.AWAY = {"one", "two"}
    assert thread_of(cluster().connect("x")).parameters.host == "three"
    assert Thread.ASKED == ["one", "two", "three"]


def test_when_none_answers_all_of_them_are_told() -> None:
    Thread.AWAY = {"one", "two", "three"}
    with pytest.raises(BrokerUnavailable, match=r"^nobody at one\. nobody at two\. nobody at three\.$"):
        cluster().connect("x")
    with pytest.raises(BrokerUnavailable, match=r"^nobody at one\.$"):
        RabbitTransport("amqp://one").connect("x")


def test_it_says_where_it_connects_to() -> None:
    assert cluster().where == (
        "one:5672, virtual host shop or two:5672, virtual host shop or three:5672, virtual host shop")


def test_a_server_that_is_silent_counts_as_lost_after_a_while() -> None:
    parameters = thread_of(cluster(heartbeat=7, blocked_timeout=8, connect_timeout=9).connect("own.voice")).parameters
    assert (parameters.heartbeat, parameters.blocked_connection_timeout) == (7, 8)
    assert (parameters.socket_timeout, parameters.stack_timeout) == (9, 9)
    assert parameters.tcp_options == {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    assert parameters.client_properties["connection_name"] == "own.voice"


# -- a connection


@pytest.fixture
def made() -> RabbitConnection:
    return cluster().connect("x")


def test_its_end_is_told_to_all_its_channels(made: RabbitConnection) -> None:
    channels = [made.channel(), made.channel()]
    assert made.is_open and all(channel.is_open for channel in channels)
    made.close()
    assert not made.is_open and not any(channel.is_open for channel in channels)


def test_a_channel_that_ended_is_forgotten(made: RabbitConnection) -> None:
    channel = made.channel()
    assert made._channels == {channel}
    channel.ended(ChannelClosed(404, "no queue"))
    assert made._channels == set() and made.is_open


def test_a_channel_that_could_not_be_opened_is_forgotten(made: RabbitConnection) -> None:
    thread_of(made).refuses = True
    with pytest.raises(ConnectionLost):
        made.channel()
    assert made._channels == set()


def test_a_channel_hears_of_the_end_while_it_is_being_opened(
    made: RabbitConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = thread_of(made)
    monkeypatch.setattr(thread, "channel", lambda **_: made.close())
    with pytest.raises(ConnectionLost, match="closed"):
        made.channel()


def test_it_says_why_the_broker_takes_no_messages(made: RabbitConnection) -> None:
    assert made.blocked is None
    thread_of(made).blocked = "low on memory"
    assert made.blocked == "low on memory"


def test_it_asks_what_the_broker_says_of_itself(made: RabbitConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "facts_of", lambda pika: ("facts", pika))
    monkeypatch.setattr(connection, "refused_to_write", lambda *asked: asked)
    thread = thread_of(made)
    assert made.facts == ("facts", thread.pika)
    assert made.refused_to_write("e", ["key"]) == (thread, "e", ["key"])  # type: ignore[comparison-overlap]

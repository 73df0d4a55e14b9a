from __future__ import annotations

import pytest
from pika.exceptions import AMQPConnectionError, ConnectionClosedByBroker, ProbableAuthenticationError, StreamLostError

from patterns.connection import RabbitTransport
from patterns.connection_url import ending, named, parameters_of, reason, where
from patterns.errors import ConnectionLost, SettingsError
from patterns.settings import Settings, configure


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost", "localhost:5672", "http://h/", "//h", "amqp:h", "amqp://user:secret@h:port/", "amqp://user:sec/ret@h/",
        "amqp://h:99999/", "amqp://user@h/", "amqp://user:secret@[::1/", "amqp://user:secret@h/?nonsense=1",
        "amqp://user:secret@h/?heartbeat=often", "amqps://user:secret@h/?ssl_options=(",
    ],
)
def test_a_url_that_makes_no_sense_is_a_setting_to_mend_and_its_password_is_kept(url: str) -> None:
    with pytest.raises(SettingsError, match=r"RABBITMQ_URL .* like amqp://user:password@host") as caught:
        RabbitTransport(url)
    assert "sec" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_url_says_where_and_as_whom() -> None:
    parameters = parameters_of("amqps://ada:p%2Fw@rabbit.example/sh%2Fop")
    assert (parameters.host, parameters.port, parameters.virtual_host) == ("rabbit.example", 5671, "sh/op")
    assert (parameters.credentials.username, parameters.credentials.password) == ("ada", "p/w")
    assert parameters.ssl_options is not None
    assert where(parameters) == "rabbit.example:5671, virtual host sh/op"
    assert where(parameters_of("amqp://ada:pw@[::1]:5673/")) == "::1:5673"


def test_what_the_url_says_goes_before_our_defaults() -> None:
    parameters = parameters_of("amqp://h/?heartbeat=7", heartbeat=20, blocked_connection_timeout=30.0)
    assert (parameters.heartbeat, parameters.blocked_connection_timeout) == (7, 30.0)


def test_pika_is_told_all_our_patience() -> None:
    parameters = RabbitTransport("amqp://h/", heartbeat=11, blocked_timeout=12, connect_timeout=13)._nodes[0]
    assert (parameters.heartbeat, parameters.blocked_connection_timeout) == (11, 12)
    assert (parameters.socket_timeout, parameters.stack_timeout) == (13, 13)
    assert parameters.tcp_options


def test_several_nodes_are_several_urls_and_a_comma_in_a_password_is_no_separator() -> None:
    one, two = "amqp://ada:p,w@h1/shop", "amqps://ada:p,w@h2:7/shop?heartbeat=5"
    assert Settings(rabbitmq_url=f"{one}, {two}").rabbitmq_urls == (one, two)
    assert RabbitTransport(f"{one},{two}").where == "h1:5672, virtual host shop or h2:7, virtual host shop"
    assert RabbitTransport(f"{one},{two},")._nodes[0].credentials.password == "p,w"


def test_each_node_is_a_url_and_no_password_is_told() -> None:
    for wrong in ("amqp://h1/,http://ada:secret@h2/", "amqp://ada:secret@h1/,amqp://h2:99999/"):
        with pytest.raises(SettingsError, match="RABBITMQ_URL") as caught:
            RabbitTransport(configure(rabbitmq_url=wrong).rabbitmq_url)
        assert "secret" not in str(caught.value)


def test_a_name_is_for_one_connection_only() -> None:
    parameters = parameters_of("amqp://h/?client_properties={'team':'blue'}")
    first, second = named(parameters, "first"), named(parameters, "second")
    assert first.client_properties == {"team": "blue", "connection_name": "first", "product": "orderflow"}
    assert second.client_properties["connection_name"] == "second"
    assert parameters.client_properties == {"team": "blue"}


def test_the_innermost_reason_is_told() -> None:
    assert reason(AMQPConnectionError(AMQPConnectionError(OSError(111, "Connection refused")))) == (
        "[Errno 111] Connection refused"
    )
    assert reason(AMQPConnectionError(ProbableAuthenticationError("403 ACCESS_REFUSED"))) == "user or password is wrong"
    assert "hung up" in reason(AMQPConnectionError(ProbableAuthenticationError("StreamLostError")))
    assert reason(ConnectionClosedByBroker(320, "CONNECTION_FORCED - shutdown")) == "320 CONNECTION_FORCED - shutdown"
    assert reason(AMQPConnectionError()) == "AMQPConnectionError"


def test_a_lost_stream_is_a_lost_connection() -> None:
    lost = ending(StreamLostError("Stream connection lost: ConnectionResetError(104)"))
    assert type(lost) is ConnectionLost
    assert "ConnectionResetError" in str(lost)

"""Where RabbitMQ is, and what is wrong there: between RABBITMQ_URL, pika's parameters, pika's errors, and a person."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pika
from pika.exceptions import (
    ChannelClosedByBroker,
    ChannelClosedByClient,
    ConnectionBlockedTimeout,
    ConnectionClosedByBroker,
    ConnectionClosedByClient,
    ConnectionOpenAborted,
    IncompatibleProtocolError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    StreamLostError,
)

from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost, SettingsError

EXPLAINED: dict[type[BaseException], str] = {
    ConnectionBlockedTimeout: "it refused to take messages for too long; is its memory or disk full?",
    ConnectionOpenAborted: "it accepted the connection and then said nothing; is it a RabbitMQ?",
    IncompatibleProtocolError: "it hung up at our first word; is it a RabbitMQ, and do scheme and port fit?",
}


def parameters_of(url: str, **defaults: float | dict[str, int]) -> pika.URLParameters:
    """What pika needs to connect; what the URL itself says (``?heartbeat=5``) goes before the defaults.

    Raises SettingsError, without the URL: it holds a password.
    """
    try:
        parameters = pika.URLParameters(url)
        given = parse_qs(urlsplit(url).query)
    except (ValueError, TypeError, IndexError, SyntaxError):
        given = None
    if given is None or not url.lower().startswith(("amqp://", "amqps://")):
        raise SettingsError(
            "RABBITMQ_URL is not a URL like amqp://user:password@host:5672/virtual-host (amqps:// for TLS). Special "
            "characters within its parts are percent-encoded: a / in the virtual host or the password is %2F."
        )
    for name, value in defaults.items():
        if name not in given:
            setattr(parameters, name, value)
    return parameters


def named(parameters: pika.URLParameters, name: str) -> pika.URLParameters:
    """The same parameters with a name for the connection, which RabbitMQ shows in its lists."""
    copied = copy.copy(parameters)
    copied.client_properties = {**(parameters.client_properties or {}), "connection_name": name, "product": "orderflow"}
    return copied


def where(parameters: pika.URLParameters) -> str:
    """The server and virtual host, for messages."""
    host = "" if parameters.virtual_host == "/" else f", virtual host {parameters.virtual_host}"
    return f"{parameters.host}:{parameters.port}{host}"


def reason(error: BaseException) -> str:
    """What a person can use of pika's nested errors."""
    causes = list(_causes(error))
    for cause in causes:
        for kind, explained in EXPLAINED.items():
            if isinstance(cause, kind):
                return explained
        if isinstance(cause, ProbableAuthenticationError | ProbableAccessDeniedError):
            return _turned_away(str(cause))
        if isinstance(cause, ConnectionClosedByBroker):
            return f"{cause.reply_code} {cause.reply_text}"
    innermost = causes[-1]
    text = str(innermost.args[0] if isinstance(innermost, StreamLostError) and innermost.args else innermost)
    return " ".join((text or type(innermost).__name__).split())[:200]


def _turned_away(by: str) -> str:
    """Why we did not get in; pika suspects our password whenever the line breaks while we introduce ourselves."""
    if "ACCESS_REFUSED" in by:
        return "user or password is wrong"
    if "NOT_ALLOWED" in by:
        return "there is no such virtual host, or the user may not use it"
    return f"it hung up while we introduced ourselves: {by[:200]}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what is packed into it, innermost last."""
    yield error
    inside = (getattr(error, "exception", None), *getattr(error, "exceptions", ()), *error.args)
    for cause in inside:
        if isinstance(cause, BaseException):
            yield from _causes(cause)


def ending(error: BaseException) -> BrokerUnavailable:
    """Pika's reason for the end of a channel or connection, in our words."""
    if isinstance(error, ChannelClosedByBroker):
        return ChannelClosed(error.reply_code, error.reply_text)
    if isinstance(error, ChannelClosedByClient):
        return ChannelClosed(200, "This channel was closed by its owner")
    if isinstance(error, ConnectionClosedByClient):
        return ConnectionLost("This connection was closed by its owner")
    return ConnectionLost(f"The connection to RabbitMQ is lost: {reason(error)}")

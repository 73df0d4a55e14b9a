"""RabbitMQ, through pika: the only module (with its two halves) that knows pika.

pika's connection belongs to one thread.  So each of ours runs pika's event loop on a thread of its own: heartbeats go on
while a handler works, and everybody else posts what they want done and waits for the answer.  pika 1.4's own
thread-safe connection is not released yet; when it is, it can take this module's place.

::

    caller ──post──> [ I/O thread: pika's loop ] <──> RabbitMQ
           <─answer─
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any
from urllib.parse import urlsplit

import pika
from pika.adapters.select_connection import IOLoop
from pika.exceptions import AMQPError, ProbableAccessDeniedError, ProbableAuthenticationError

from patterns.connection_channel import RabbitChannel
from patterns.errors import BrokerUnavailable, ConnectionLost, OrderflowError, SettingsError

logging.getLogger("pika").setLevel(logging.CRITICAL)  # what matters reaches the caller as an error

ANSWER_SECONDS = 30.0
CLOSE_SECONDS = 5.0


class RabbitTransport:
    """A RabbitMQ one can connect to.

    ``heartbeat``: seconds until a silent peer counts as gone.  ``blocked_timeout``: seconds a broker that is out of memory
    or disk may hold us up before the connection counts as lost; without it a publisher would wait for ever.
    """

    def __init__(
        self, url: str, *, heartbeat: int = 20, blocked_timeout: float = 30.0, connect_timeout: float = 5.0
    ) -> None:
        try:
            self._parameters = pika.URLParameters(url)
        except (ValueError, TypeError, AttributeError, IndexError) as error:
            raise SettingsError("RABBITMQ_URL: not a URL like amqp://user:password@host:5672/vhost") from error
        self._parameters.heartbeat = heartbeat
        self._parameters.blocked_connection_timeout = blocked_timeout
        self._parameters.socket_timeout = connect_timeout
        self._parameters.stack_timeout = connect_timeout * 2
        self._parameters.tcp_options = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
        self.where = _without_password(url)

    def connect(self, name: str) -> RabbitConnection:
        """Connect once, under a name people see in the broker's list.  Raises BrokerUnavailable."""
        return RabbitConnection(self._parameters, name, self.where)


class RabbitConnection:
    """One connection and its I/O thread."""

    def __init__(self, parameters: pika.URLParameters, name: str, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._lost: BrokerUnavailable | None = None
        self._waiting: set[Future[Any]] = set()
        self._channels: set[RabbitChannel] = set()
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(parameters, name), name=f"amqp:{name}", daemon=True)
        self._thread.start()
        self._opened.result()

    @property
    def is_open(self) -> bool:
        """Whether the connection still works, as far as we know."""
        return self._lost is None

    def channel(self) -> RabbitChannel:
        """Open a channel with publisher confirms on."""
        opened = RabbitChannel(self)
        self.ask(lambda future: opened.open(self._pika, future))
        return opened

    def close(self) -> None:
        """Close the connection and its channels.  Closing twice is fine."""
        self.post(self._close, even_if_lost=True)
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_SECONDS)

    def post(self, action: Callable[[], object], *, even_if_lost: bool = False) -> None:
        """Have something done on the I/O thread, soon.  Raises ConnectionLost when that is gone."""
        if self._lost is not None:
            if even_if_lost:
                return
            raise self._lost
        self._loop.add_callback_threadsafe(action)

    def ask(self, begin: Callable[[Future[Any]], object]) -> Any:
        """Begin something on the I/O thread and wait for its answer.  Raises what went wrong, also ConnectionLost."""
        future: Future[Any] = Future()
        with self._lock:
            if self._lost is not None:
                raise self._lost
            self._waiting.add(future)
        try:
            self.post(lambda: self._begin(begin, future))
            return future.result(ANSWER_SECONDS)
        except FutureTimeout:
            raise ConnectionLost(f"RabbitMQ at {self._where} did not answer within {ANSWER_SECONDS:g} s.") from None
        finally:
            with self._lock:
                self._waiting.discard(future)

    def watch(self, channel: RabbitChannel) -> None:
        """Remember a channel, so that it hears of the connection's end."""
        self._channels.add(channel)

    def forget(self, channel: RabbitChannel) -> None:
        """A channel is closed."""
        self._channels.discard(channel)

    def _begin(self, begin: Callable[[Future[Any]], object], future: Future[Any]) -> None:
        try:
            begin(future)
        except Exception as error:  # whatever pika makes of our arguments belongs to the caller, not to this thread
            fail(future, error)

    def _run(self, parameters: pika.URLParameters, name: str) -> None:
        self._loop = IOLoop()
        named = _named(parameters, name)
        self._pika = pika.SelectConnection(
            named, on_open_callback=lambda _: self._opened.set_result(None), on_open_error_callback=self._refused,
            on_close_callback=self._closed, custom_ioloop=self._loop,
        )
        try:
            self._loop.start()
        except Exception as error:  # a broken loop is a broken connection; whoever waits must hear of it
            self._end(ConnectionLost(f"The connection to RabbitMQ failed: {type(error).__name__}: {error}"))
        finally:
            self._loop.close()

    def _close(self) -> None:
        if self._pika.is_open:
            self._pika.close()
        elif not self._pika.is_closing:
            self._loop.stop()

    def _refused(self, _: object, error: BaseException) -> None:
        self._opened.set_exception(BrokerUnavailable(f"RabbitMQ does not answer at {self._where}: {_reason(error)}"))
        self._end(ConnectionLost("never connected"))
        self._loop.stop()

    def _closed(self, _: object, error: BaseException) -> None:
        self._end(ConnectionLost(f"The connection to RabbitMQ at {self._where} is closed: {_reason(error)}"))
        self._loop.stop()

    def _end(self, lost: ConnectionLost) -> None:
        with self._lock:
            self._lost = self._lost or lost
            waiting, self._waiting = self._waiting, set()
        for future in waiting:
            fail(future, lost)
        for channel in tuple(self._channels):
            channel.ended(lost)


def fail(future: Future[Any], error: BaseException) -> None:
    """Let whoever waits hear of an error, unless they have an answer already."""
    try:
        future.set_exception(error)
    except InvalidStateError:
        return


def _named(parameters: pika.URLParameters, name: str) -> pika.ConnectionParameters:
    """A copy of the parameters with the connection's name, which RabbitMQ shows in its lists."""
    kept = (
        "host", "port", "virtual_host", "credentials", "channel_max", "frame_max", "heartbeat", "ssl_options",
        "connection_attempts", "retry_delay", "socket_timeout", "stack_timeout", "locale",
        "blocked_connection_timeout", "tcp_options",
    )
    values = {attribute: getattr(parameters, attribute) for attribute in kept}
    return pika.ConnectionParameters(**values, client_properties={"connection_name": name, "product": "orderflow"})


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 5672}{parts.path or '/'}"


def _reason(error: BaseException) -> str:
    """What a person can use of pika's nested errors."""
    if isinstance(error, OrderflowError):
        return str(error)
    causes = [error, *getattr(error, "exceptions", ())]
    for cause in causes:
        inner = getattr(cause, "exception", cause)
        if isinstance(inner, ProbableAuthenticationError):
            return "user or password is wrong"
        if isinstance(inner, ProbableAccessDeniedError):
            return "there is no such virtual host, or the user may not use it"
    last = getattr(causes[-1], "exception", causes[-1])
    text = str(last) or (repr(last) if isinstance(last, AMQPError) else type(last).__name__)
    return " ".join(text.split())[:200]

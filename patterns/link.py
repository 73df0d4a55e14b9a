"""A connection that is kept: made, prepared, used, and made again when it breaks.

pika does not recover by itself, and a connection that came back without its consumers is worse than none; so whatever
ends a connection, we start over from the beginning: connect, declare, consume.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event, wait_exponential_jitter
from tenacity.stop import stop_when_event_set

from patterns.amqp import Cancelled, Channel, Connection, Delivery, Transport
from patterns.errors import BrokerUnavailable, ConnectionLost
from patterns.logs import get_logger
from patterns.runtime import runtime

SURPRISE_SECONDS = 1.0
"""The pause after an error nobody foresaw: the same message may cause it again at once."""


class Link:
    """One connection and channel with a thread of its own that hands deliveries to ``work``.

    ``prepare`` declares and consumes on each new channel.  ``work`` gets what is ready, at most ``limit``.
    """

    def __init__(
        self, name: str, transport: Transport, prepare: Callable[[Channel], None],
        work: Callable[[Channel, Sequence[Delivery]], None], limit: int,
    ) -> None:
        self.name, self.transport, self.prepare, self.work, self.limit = name, transport, prepare, work, limit
        self.stopping = runtime().event()
        self.trouble: str | None = "not connected yet"
        self._channel: Channel | None = None
        self._opened = runtime().condition()
        self._thread = runtime().thread(name, self._run)
        self._log = get_logger(name.split(".")[0])

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish what is in hand and close; waits for it, at most ``timeout`` seconds."""
        self.stopping.set()
        with self._opened:
            self._opened.notify_all()
            channel = self._channel
        if channel is not None:
            channel.wake()
        self._thread.join(timeout)

    def abandon(self) -> None:
        """Break off as a crash does: what is in hand is not acknowledged, nothing more is said."""
        self.stopping.set()
        with self._opened:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def opened(self, within: float) -> bool:
        """Whether the channel opens within so many seconds."""
        with self._opened:
            return self._opened.wait_for(lambda: self._channel is not None, within)

    def channel(self, timeout: float = 0.0) -> Channel:
        """The open channel, waited for at most ``timeout`` seconds.  Raises BrokerUnavailable without one."""
        with self._opened:
            self._opened.wait_for(lambda: self._channel is not None or self.stopping.is_set(), timeout)
            if self._channel is None:
                raise BrokerUnavailable(f"No connection to the broker: {self.trouble}")
            return self._channel

    def _run(self) -> None:
        patience = Retrying(
            retry=retry_if_exception_type(BrokerUnavailable),
            wait=wait_exponential_jitter(multiplier=0.1, max=5, jitter=0.2),
            stop=stop_when_event_set(self.stopping), sleep=sleep_using_event(self.stopping),
            before_sleep=self._say_once, retry_error_callback=lambda _: None,
        )
        while not self.stopping.is_set():
            connection = patience(self._connect)
            if connection is None:
                return
            try:
                self._use(self.channel())
            except BrokerUnavailable as error:
                if not self.stopping.is_set():
                    self._lost(error)
            except Exception as error:  # a consumer that dies of a surprise would be a queue nobody reads
                self.trouble = f"{type(error).__name__}: {error}"
                self._log.exception("Connection %s failed, starting it again.", self.name, extra={"action": "failed"})
                self.stopping.wait(SURPRISE_SECONDS)
            finally:
                with self._opened:
                    self._channel = None
                connection.close()

    def _connect(self) -> Connection:
        connection = self.transport.connect(self.name)
        try:
            channel = connection.channel()
            self.prepare(channel)
        except BaseException:
            connection.close()
            raise
        if self.trouble not in (None, "not connected yet"):
            self._log.info("Connected again.", extra={"action": "connected"})
        with self._opened:
            self._channel, self.trouble = channel, None
            self._opened.notify_all()
        return connection

    def _use(self, channel: Channel) -> None:
        while not self.stopping.is_set():
            items = channel.take(self.limit, None)
            deliveries = [item for item in items if isinstance(item, Delivery)]
            if deliveries:
                self.work(channel, deliveries)
            for item in items:
                if isinstance(item, Cancelled):
                    raise ConnectionLost(f"The broker cancelled the consumer of {item.queue}: is the queue deleted?")

    def _lost(self, error: BrokerUnavailable) -> None:
        self.trouble = str(error)
        self._log.warning("Connection %s lost, connecting again: %s", self.name, error, extra={"action": "lost"})

    def _say_once(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        level = logging.WARNING if state.attempt_number == 1 else logging.DEBUG
        self.trouble = str(error)
        self._log.log(level, "%s; trying again until it works.", error, extra={"action": "unavailable"})

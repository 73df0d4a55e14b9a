"""A connection that is kept: made, prepared, used, and made again when it breaks.

pika does not recover by itself, and a connection that came back without its consumers is worse than none; so whatever
ends a connection, we start over from the beginning: connect, declare, consume.  Pauses between attempts grow, also when
a connection is made and lost again at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from tenacity import Retrying, sleep_using_event, wait_exponential_jitter

from patterns.amqp import Cancelled, Channel, Connection, Delivery, Transport
from patterns.errors import BrokerUnavailable, ConnectionLost
from patterns.logs import get_logger
from patterns.runtime import runtime

STEADY_SECONDS = 10.0
"""A connection that held so long was a good one: when it is lost, the next attempt comes at once."""

TIDY_SECONDS = 0.5
"""How long a stop waits for a thread that has nothing in hand."""


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
        self.since = runtime().now()
        """Since when it has been working, or has been in trouble; seconds since 1970."""
        self._trouble: str | None = "not connected yet"
        self._connection: Connection | None = None
        self._channel: Channel | None = None
        self._reads: frozenset[str] = frozenset()
        self._until: float | None = None
        self._opened = runtime().condition()
        self._thread = runtime().thread(name, self._run)
        self._log = get_logger(name.split(".")[0])

    # -- what others may ask

    @property
    def reads(self) -> dict[str, bool]:
        """The queues it is there to read, and whether its consumer of each is alive."""
        channel = self._channel
        alive = set() if channel is None else set(channel.consumers.values())
        return {queue: queue in alive for queue in sorted(self._reads)}

    @property
    def trouble(self) -> str | None:
        """What keeps it from working, in plain words; None while it works."""
        connection = self._connection
        if connection is None:
            return self._trouble or "not connected"
        if connection.blocked is not None:
            return f"the broker takes no messages from us: {connection.blocked}"
        unread = [queue for queue, alive in self.reads.items() if not alive]
        return f"the broker ended the consumer of {', '.join(unread)}: was the queue deleted?" if unread else None

    @property
    def connected(self) -> bool:
        """Whether it has a channel."""
        return self._channel is not None

    def opened(self, within: float) -> bool:
        """Whether the channel opens within so many seconds."""
        with self._opened:
            return self._opened.wait_for(lambda: self._channel is not None, within)

    def channel(self, timeout: float = 0.0) -> Channel:
        """The open channel, waited for at most ``timeout`` seconds.  Raises BrokerUnavailable without one."""
        with self._opened:
            self._opened.wait_for(lambda: self._channel is not None or self.stopping.is_set(), timeout)
            if self._channel is None:
                raise BrokerUnavailable(f"No connection to the broker: {self._trouble}")
            return self._channel

    # -- beginning and end

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._thread.start()

    def drain(self, timeout: float) -> None:
        """Take nothing new from now on, and finish what is in hand, for at most so many seconds; returns at once."""
        with self._opened:
            if self._until is None:
                self._until = runtime().monotonic() + timeout
            self.stopping.set()
            self._opened.notify_all()
            channel = self._channel
        if channel is not None:
            channel.wake()

    def stop(self, timeout: float = 10.0) -> bool:
        """Finish what is in hand and close; False when that took longer than ``timeout`` seconds.

        A link that is connecting has nothing in hand, and nobody waits for it.
        """
        self.drain(timeout)
        self._thread.join(TIDY_SECONDS if self._channel is None else timeout)
        return self._channel is None

    def abandon(self) -> None:
        """Break off as a crash does: what is in hand is not acknowledged, nothing more is said."""
        with self._opened:
            self.stopping.set()
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    # -- on its own thread

    def _run(self) -> None:
        while not self.stopping.is_set():
            pauses = wait_exponential_jitter(multiplier=0.1, max=5, jitter=0.2)
            Retrying(wait=pauses, sleep=sleep_using_event(self.stopping))(self._live)
        self._set_trouble("stopped")

    def _live(self) -> None:
        """Connect, and work until that is over.  Raises BrokerUnavailable when it was over soon: then a pause is due."""
        began = runtime().monotonic()
        try:
            connection = self._connect()
            try:
                self._use(self.channel())
            finally:
                with self._opened:
                    self._channel, self._connection = None, None
                connection.close()
        except Exception as error:  # a consumer that dies of a surprise would be a queue nobody reads
            if self.stopping.is_set():
                return
            self._lost(error)
            if runtime().monotonic() - began < STEADY_SECONDS:
                raise BrokerUnavailable(str(error)) from error

    def _connect(self) -> Connection:
        connection = self.transport.connect(self.name)
        try:
            channel = connection.channel()
            self.prepare(channel)
            with self._opened:
                if self.stopping.is_set():
                    raise ConnectionLost("Stopped while connecting.")
                self._reads = frozenset(channel.consumers.values())
                self._connection, self._channel = connection, channel
                self._opened.notify_all()
        except BaseException:
            connection.close()
            raise
        if self._trouble != "not connected yet":
            self._log.info("Connected again.", extra={"action": "connected"})
        self._set_trouble(None)
        return connection

    def _use(self, channel: Channel) -> None:
        while not self.stopping.is_set():
            self._turn(channel, None)
        for tag in list(channel.consumers):
            channel.cancel(tag)
        # What the broker sent before is here by now; given back, it would be delivered again to somebody else.
        while self._in_time() and self._turn(channel, 0):
            pass

    def _turn(self, channel: Channel, timeout: float | None) -> bool:
        """Wait for something and do it; False when there was nothing to do."""
        items = channel.take(self.limit, timeout)
        deliveries = [item for item in items if isinstance(item, Delivery)]
        if deliveries:
            self.work(channel, deliveries)
        for item in items:
            if isinstance(item, Cancelled) and not self.stopping.is_set():
                raise ConnectionLost(f"The broker cancelled the consumer of {item.queue}: is the queue deleted?")
        return bool(items)

    def _in_time(self) -> bool:
        return self._until is not None and runtime().monotonic() < self._until

    def _lost(self, error: Exception) -> None:
        words = str(error) if isinstance(error, BrokerUnavailable) else f"{type(error).__name__}: {error}"
        is_news, foreseen = self._trouble in (None, "not connected yet"), isinstance(error, BrokerUnavailable)
        self._log.log(
            logging.WARNING if is_news or not foreseen else logging.DEBUG,
            "Connection %s: %s  Connecting until it works.", self.name, words,
            extra={"action": "lost" if foreseen else "failed"}, exc_info=None if foreseen else error,
        )
        self._set_trouble(words)

    def _set_trouble(self, trouble: str | None) -> None:
        if (trouble is None) is not (self._trouble is None):
            self.since = runtime().now()
        self._trouble = trouble

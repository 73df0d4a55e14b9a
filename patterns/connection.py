"""RabbitMQ, through pika.

This module and those beside it named ``connection_*`` are the only ones that know pika::

    connection            the transport and the connection
      connection_channel    a channel: asks and waits, publishes, takes
        connection_asking     questions to the broker, and their answers
        connection_confirms   what was published, and the broker's receipts
        connection_pipeline   many declarations in one round trip
        connection_consumers  who reads which queue
        connection_arrivals   what was delivered and not taken yet
        connection_envelope   our envelope as pika writes and reads it
      connection_facts      what the broker says of itself and of us
      connection_thread     pika's event loop, on a thread of its own
        connection_pika       pika's connection, in fewer packets
      connection_url        RABBITMQ_URL, and pika's errors in words

A later pika will have a thread-safe connection of its own; it can then take the place of ``connection_thread``.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection

import pika

from patterns.connection_channel import RabbitChannel
from patterns.connection_facts import Facts, facts_of, refused_to_write
from patterns.connection_thread import PikaThread
from patterns.connection_url import named, parameters_of, where
from patterns.errors import BrokerUnavailable, ConnectionLost
from patterns.settings import urls_in

KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class RabbitTransport:
    """A RabbitMQ one can connect to; raises SettingsError when the URL makes no sense.

    ``url`` may be several, separated by commas: the nodes of one cluster.  Each connection begins with the node after
    the one before it, so that connections spread, and a node that lets us in and then fails us is not asked twice running.

    ``heartbeat``: a server silent for one or two times so many seconds, and a little, counts as lost.
    ``blocked_timeout``: seconds a broker out of memory or disk may hold us up until it counts as lost; without it a
    publisher would wait for ever.  ``connect_timeout``: seconds to come up.  The URL may say otherwise in its query.
    """

    def __init__(
        self, url: str, *, heartbeat: int = 20, blocked_timeout: float = 30.0, connect_timeout: float = 10.0
    ) -> None:
        self._nodes = [
            parameters_of(
                each, heartbeat=heartbeat, blocked_connection_timeout=blocked_timeout, socket_timeout=connect_timeout,
                stack_timeout=connect_timeout, tcp_options=KEEPALIVE,
            ) for each in urls_in(url) or ("",)
        ]
        self._turns = itertools.count()

    @property
    def where(self) -> str:
        """Host, port and virtual host of each node, for messages."""
        return " or ".join(where(node) for node in self._nodes)

    def connect(self, name: str) -> RabbitConnection:
        """Connect to the first node that lets us in, under a name people see in its list.  Raises BrokerUnavailable."""
        turn, refusals = next(self._turns), []
        for number in range(len(self._nodes)):
            node = self._nodes[(turn + number) % len(self._nodes)]
            try:
                return RabbitConnection(named(node, name), name)
            except BrokerUnavailable as error:
                refusals.append(str(error))
        raise BrokerUnavailable(" ".join(refusals))


class RabbitConnection:
    """One connection and the thread that serves it."""

    def __init__(self, parameters: pika.URLParameters, name: str) -> None:
        self._lock = threading.Lock()
        self._channels: set[RabbitChannel] = set()
        self._thread = PikaThread(parameters, name, self._ended)
        self._thread.open()

    @property
    def is_open(self) -> bool:
        """Whether the connection still works, as far as we know."""
        return self._thread.lost is None

    @property
    def blocked(self) -> str | None:
        """Why RabbitMQ takes no messages from us at the moment; None while it does."""
        return self._thread.blocked

    def channel(self) -> RabbitChannel:
        """Open a channel with publisher confirms on."""
        channel = RabbitChannel(self._thread, self._forget)
        with self._lock:
            self._channels.add(channel)  # before it asks anything: it must hear of the connection's end
        try:
            channel.open()
        except BaseException:
            self._forget(channel)
            raise
        return channel

    def close(self) -> None:
        """Close the connection and its channels.  Closing twice is fine."""
        self._thread.close()

    @property
    def facts(self) -> Facts:
        """What the broker says of itself, and what was agreed with it."""
        return facts_of(self._thread.pika)

    def refused_to_write(self, exchange: str, routing_keys: Collection[str]) -> str | None:
        """Why we may not publish there, or None; nothing is published."""
        return refused_to_write(self._thread, exchange, routing_keys)

    def _forget(self, channel: RabbitChannel) -> None:
        with self._lock:
            self._channels.discard(channel)

    def _ended(self, lost: ConnectionLost) -> None:
        with self._lock:
            channels = list(self._channels)
        for channel in channels:
            channel.ended(lost)

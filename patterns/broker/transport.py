"""The embedded broker as a transport, with handles for people and tests to see it, stop it and break it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from patterns.broker.connection import EmbeddedConnection
from patterns.broker.core import Chooser
from patterns.broker.engine import Engine
from patterns.broker.journal import load
from patterns.broker.records import rebuild
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost
from patterns.runtime import runtime


class EmbeddedTransport:
    """A broker in this process.  With a folder, what is durable survives ``kill -9``; without, nothing does.

    Raises EmbeddedBrokerInUse when another transport holds the folder.
    """

    def __init__(
        self, folder: Path | None = None, *, clock: Callable[[], float] | None = None, choose: Chooser | None = None
    ) -> None:
        self._engine = Engine(folder, clock or runtime().now, choose)

    @classmethod
    def copy_of(cls, folder: Path) -> EmbeddedTransport:
        """A broker that holds what the folder's journal says, and writes nothing; another process may have the folder."""
        copy = cls()
        with copy._engine.lock:
            rebuild(copy._engine.machine, load(folder), copy._engine.clock())
        return copy

    def connect(self, name: str) -> EmbeddedConnection:
        """Connect under a name.  Raises BrokerUnavailable while the broker is stopped."""
        engine = self._engine
        with engine.lock:
            if engine.failed and not engine.closed:
                engine.begin()
        with engine.operation() as (machine, _):
            connection = EmbeddedConnection(engine, name, machine.connect(name))
            engine.connections[connection.number] = connection
            return connection

    def close(self) -> None:
        """Stop for good: connections end, and the folder is free for another process.  Closing twice is fine."""
        self._engine.close()

    def stop(self) -> None:
        """Go down as a broker would: connections are lost, and nobody can connect until :meth:`start`."""
        with self._engine.lock:
            self._engine.end("The embedded broker is stopped; start() brings it back")

    def start(self) -> None:
        """Come back with what was durable.  Raises BrokerUnavailable when the journal cannot be written."""
        with self._engine.lock:
            if self._engine.closed:
                raise BrokerUnavailable("This embedded broker was closed; make a new one")
            self._engine.begin()

    def restart(self) -> None:
        """Crash and come back at once with what was durable."""
        self.stop()
        self.start()

    def kill(self, name_prefix: str) -> int:
        """Drop all connections whose name begins so, as a broker or a network would; answers how many."""
        engine = self._engine
        with engine.lock:
            hit = [each for each in engine.connections.values() if each.name.startswith(name_prefix)]
            for connection in hit:
                engine.lose(connection, ConnectionLost(f"The broker dropped the connection {connection.name!r}"))
            engine.tell()
            return len(hit)

    def cancel_consumers(self, name_prefix: str) -> int:
        """End all consumers of connections whose name begins so, and tell them; answers how many."""
        engine = self._engine
        with engine.lock:
            hit = [
                consumer for connection in engine.machine.connections.values() if connection.name.startswith(name_prefix)
                for channel in connection.channels.values() for consumer in channel.consumers.values()
            ]
            for consumer in hit:
                engine.machine.evict(consumer, engine.clock())
            engine.tell()
            return len(hit)

    def close_channels(self, name_prefix: str) -> int:
        """Close all channels of connections whose name begins so, as a broker does for a mistake; answers how many."""
        engine = self._engine
        with engine.lock:
            hit = [
                channel for connection in engine.connections.values() if connection.name.startswith(name_prefix)
                for channel in connection.channels.values()
            ]
            for channel in hit:
                engine.machine.close_channel(channel.number, engine.clock())
                channel.end(ChannelClosed(406, "PRECONDITION_FAILED - closed by whoever breaks things"))
            engine.tell()
            return len(hit)

    def queues(self) -> dict[str, tuple[int, int, int]]:
        """Every queue: how many messages are ready, how many delivered and unacknowledged, how many consumers."""
        with self._engine.lock:
            return {
                queue.name: (len(queue.ready), queue.unacked, len(queue.consumers))
                for queue in self._engine.machine.queues.values()
            }

    def arguments(self) -> dict[str, dict[str, Any]]:
        """What each queue was declared with; exclusive queues are their owner's business."""
        with self._engine.lock:
            queues = self._engine.machine.queues.values()
            return {queue.name: dict(queue.arguments) for queue in queues if queue.owner is None}

    def bindings(self) -> set[tuple[str, str, str]]:
        """Every binding, as exchange, queue and key."""
        with self._engine.lock:
            return {
                (exchange.name, binding.queue.name, binding.key)
                for exchange in self._engine.machine.exchanges.values() for binding in exchange.bindings.values()
            }

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Wait until the predicate holds; it is asked again whenever something changed here.  False: time ran out.

        The predicate is asked without the lock, so it may use this transport, or a database.
        """
        engine, until = self._engine, runtime().monotonic() + timeout
        while True:
            seen = engine.changes
            if predicate():
                return True
            with engine.lock:
                while engine.changes == seen:
                    if not engine.changed.wait(until - runtime().monotonic()):
                        return False

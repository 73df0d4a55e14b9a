"""The embedded broker as a transport: one machine, a lock, conditions, a journal, and a timer when something expires.

Every operation holds the lock, writes what must survive in one go, and only then tells anybody; nothing polls.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from patterns.broker.client import EmbeddedChannel, EmbeddedConnection
from patterns.broker.data import JournalEntry
from patterns.broker.effects import ConnectionEnded
from patterns.broker.journal import Journal
from patterns.broker.machine import Machine
from patterns.broker.records import rebuild, survivors
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost, OrderflowError

_NEVER = float("inf")


class EmbeddedTransport:
    """A broker in this process.  With a folder, what is durable survives ``kill -9``; without, nothing does.

    Raises EmbeddedBrokerInUse when another transport holds the folder.
    """

    def __init__(self, folder: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.lock = threading.Lock()
        self._clock = clock
        self._changed = threading.Condition(self.lock)
        self._changes = 0
        self._due = threading.Condition(self.lock)  # something expires sooner than the timer thinks
        self._timer: threading.Thread | None = None
        self._timer_at = _NEVER
        self.channels: dict[int, EmbeddedChannel] = {}
        self._connections: dict[int, EmbeddedConnection] = {}
        self._down: str | None = None  # why nobody can connect, when nobody can
        self._failed = False
        self._closed = False
        self._journal = None if folder is None else Journal(folder)
        self._machine = Machine()
        try:
            with self.lock:
                self._start(self._records())
        except OrderflowError:
            self.close()
            raise

    # --- the port ---

    def connect(self, name: str) -> EmbeddedConnection:
        """Connect under a name.  Raises BrokerUnavailable when the broker was stopped."""
        with self.lock:
            if self._failed:  # the journal could not be written; perhaps it can be now
                self._start(self._records())
        with self.operation() as (machine, _):
            connection = EmbeddedConnection(self, name, machine.connect(name))
            self._connections[connection.number] = connection
            return connection

    # --- what connections and channels need ---

    @contextmanager
    def operation(self, channel: EmbeddedChannel | None = None, *, waits: bool = True) -> Iterator[tuple[Machine, float]]:
        """Hold the lock, and at the end write down and tell what came of it.

        ``waits=False``: a mistake is not the caller's to hear of now; the channel says so at its next use.
        """
        with self.lock:
            if channel is not None:
                channel.check()
            if self._down is not None:
                raise BrokerUnavailable(self._down)
            try:
                yield self._machine, self._clock()
            except (ChannelClosed, ConnectionLost):
                if waits:
                    raise
            finally:
                self._tell()
            if waits and self._down is not None:
                raise ConnectionLost(self._down)

    def disconnect(self, connection: EmbeddedConnection, why: BrokerUnavailable) -> None:
        """End a connection and its channels; they say why from now on.  Twice is fine."""
        with self.lock:
            self._disconnect(connection, why)
            self._tell()

    def close_channel(self, channel: EmbeddedChannel) -> None:
        """End one channel; what it holds unacknowledged is requeued.  Twice is fine."""
        with self.lock:
            self._machine.close_channel(channel.number, self._clock())
            channel.end(ChannelClosed(200, "This channel was closed by its owner"))
            self._tell()

    def _disconnect(self, connection: EmbeddedConnection, why: BrokerUnavailable) -> None:
        self._machine.disconnect(connection.number, self._clock())
        self._connections.pop(connection.number, None)
        if connection.lost is None:
            connection.lost = why
        for channel in list(connection.channels.values()):
            channel.end(why)

    # --- for people and tests ---

    def close(self) -> None:
        """Stop for good: connections end, and the folder is free for another process."""
        with self.lock:
            self._closed = True
            self._stop("This embedded broker was closed")
            self._due.notify_all()
            if self._journal is not None:
                self._journal.close()

    def stop(self) -> None:
        """Go down as a broker would: connections are lost, and nobody can connect until :meth:`start`."""
        with self.lock:
            self._stop("The embedded broker is stopped; start() brings it back")

    def start(self) -> None:
        """Come back with what was durable.  Without :meth:`stop` before, this is a crash and a restart."""
        with self.lock:
            if self._closed:
                raise BrokerUnavailable("This embedded broker was closed; make a new one")
            self._stop("The embedded broker is restarting")
            self._start(self._records())

    restart = start

    def kill(self, name_prefix: str) -> int:
        """Drop all connections whose name begins so, as a broker or a network would; answers how many."""
        with self.lock:
            hit = [each for each in self._connections.values() if each.name.startswith(name_prefix)]
            for connection in hit:
                self._disconnect(connection, ConnectionLost(f"The broker dropped the connection {connection.name!r}"))
            self._tell()
            return len(hit)

    def queues(self) -> dict[str, tuple[int, int, int]]:
        """Every queue: how many messages are ready, how many delivered and unacknowledged, how many consumers."""
        with self.lock:
            return {
                queue.name: (len(queue.ready), queue.unacked, len(queue.consumers))
                for queue in self._machine.queues.values()
            }

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Wait until the predicate holds; it is asked again whenever something changed here.  False: time ran out.

        The predicate is asked without the lock, so it may use this transport, or a database.
        """
        until = time.monotonic() + timeout
        while True:
            seen = self._changes
            if predicate():
                return True
            with self.lock:
                while self._changes == seen:
                    if not self._changed.wait(until - time.monotonic()):
                        return False

    # --- inside, with the lock held ---

    def _records(self) -> list[JournalEntry]:
        return list(survivors(self._machine)) if self._journal is None else self._journal.records()

    def _start(self, records: Iterable[JournalEntry]) -> None:
        machine = Machine(life=secrets.token_hex(4), journaling=self._journal is not None)
        rebuild(machine, records, self._clock())
        if self._journal is not None:
            try:
                self._journal.compact(survivors(machine))
            except OSError as error:
                self._fail(self._journal, error)
                raise BrokerUnavailable(self._down) from error
        self._machine, self._down, self._failed, self._timer_at = machine, None, False, _NEVER
        self._tell()

    def _fail(self, journal: Journal, error: OSError) -> None:
        self._failed = True  # until somebody connects and the journal can be written again
        self._stop(f"The embedded broker cannot write its journal in {journal.folder}: {error}")

    def _stop(self, why: str) -> None:
        # The machine is left as it is: a broker that went down tells no queue about it.
        self._down = why
        for connection in list(self._connections.values()):
            connection.lost = connection.lost or ConnectionLost(why)
            for channel in list(connection.channels.values()):
                channel.end(connection.lost)
        self._connections.clear()
        self._changes += 1
        self._changed.notify_all()

    def _tell(self) -> None:
        """Write down what must survive, then pass on what the machine says: never the other way round."""
        machine = self._machine
        if machine.stuck:
            machine.retry_stuck(self._clock())
        log, effects = machine.take_log(), machine.take_effects()
        if log and self._journal is not None:
            try:
                self._journal.write(log)
                if self._journal.is_bloated:
                    self._journal.compact(survivors(machine))
            except OSError as error:
                self._fail(self._journal, error)
                return
        for effect in effects:
            channel = self.channels.get(effect.channel)
            if isinstance(effect, ConnectionEnded):
                why = ConnectionLost(f"The broker closed the connection: {effect.code} {effect.text}")
                self._disconnect(self._connections[effect.connection], why)
            elif channel is not None:
                channel.hear(effect)
        self._changes += 1
        self._changed.notify_all()
        if machine.timed:
            self._set_timer(machine)

    def _set_timer(self, machine: Machine) -> None:
        soonest = machine.next_expiry()
        if soonest is None or soonest >= self._timer_at:
            return
        self._timer_at = soonest
        self._due.notify_all()
        if self._timer is None:
            self._timer = threading.Thread(target=self._expire, name="embedded-broker-timer", daemon=True)
            self._timer.start()

    def _expire(self) -> None:
        """The timer thread: sleeps until the next message expires, however long that is."""
        with self.lock:
            while not self._closed:
                now = self._clock()
                if self._timer_at > now or self._down is not None:
                    self._due.wait(None if self._timer_at == _NEVER or self._down else self._timer_at - now)
                    continue
                self._machine.advance(now)
                self._timer_at = _NEVER
                self._tell()

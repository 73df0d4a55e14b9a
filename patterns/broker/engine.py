"""The machine in a process: a lock, a journal, and a timer for what expires.

Every operation holds the lock, writes what must survive in one go, and only then tells anybody; nothing polls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from patterns.broker.channel import EmbeddedChannel
from patterns.broker.connection import EmbeddedConnection
from patterns.broker.core import Chooser
from patterns.broker.data import JournalEntry
from patterns.broker.effects import ConnectionEnded
from patterns.broker.journal import Journal
from patterns.broker.machine import Machine
from patterns.broker.records import rebuild, survivors
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost, OrderflowError
from patterns.runtime import Startable, runtime

NEVER = float("inf")


class Engine:
    """Drives one machine for all clients in this process."""

    def __init__(self, folder: Path | None, clock: Callable[[], float], choose: Chooser | None = None) -> None:
        self.lock = runtime().lock()
        self.channels: dict[int, EmbeddedChannel] = {}
        self.connections: dict[int, EmbeddedConnection] = {}
        self.changes = 0
        self.changed = runtime().condition(self.lock)
        self.down: str | None = None  # why nobody can connect, when nobody can
        self.failed = False  # it is down because the journal could not be written; perhaps it can be now
        self.closed = False
        self.clock = clock
        self.journal = None if folder is None else Journal(folder)
        self.machine = Machine(choose=choose)
        self._due = runtime().condition(self.lock)  # something expires sooner than the timer thinks
        self._timer: Startable | None = None
        self._timer_at = NEVER
        try:
            with self.lock:
                self.begin()
        except OrderflowError:
            self.close()
            raise

    # --- what connections and channels need ---

    @contextmanager
    def operation(self, channel: EmbeddedChannel | None = None, *, waits: bool = True) -> Iterator[tuple[Machine, float]]:
        """Hold the lock, and at the end write down and tell what came of it.

        ``waits=False``: a mistake is not the caller's to hear of now; the channel says so at its next use.
        """
        with self.lock:
            if channel is not None:
                channel.check()
            if self.down is not None:
                raise BrokerUnavailable(self.down)
            try:
                yield self.machine, self.clock()
            except (ChannelClosed, ConnectionLost):
                if waits:
                    raise
            finally:
                self.tell()
            if waits and self.down is not None:
                raise ConnectionLost(self.down)

    def disconnect(self, connection: EmbeddedConnection, why: BrokerUnavailable) -> None:
        """End a connection and its channels; they say why from now on.  Twice is fine."""
        with self.lock:
            self.lose(connection, why)
            self.tell()

    def close_channel(self, channel: EmbeddedChannel) -> None:
        """End one channel; what it holds unacknowledged is requeued.  Twice is fine."""
        with self.lock:
            if channel.is_open:
                self.machine.close_channel(channel.number, self.clock())
            channel.end(ChannelClosed(200, "This channel was closed by its owner"))
            self.tell()

    def close(self) -> None:
        """Stop for good: connections end, and the folder is free for another process."""
        with self.lock:
            self.closed = True
            self.end("This embedded broker was closed")
            self._due.notify_all()
            if self.journal is not None:
                self.journal.close()

    # --- with the lock held ---

    def begin(self) -> None:
        """Come up with what is durable: from the journal, or without one from what the machine held."""
        kept = list(survivors(self.machine)) if self.journal is None else self.journal.records()
        machine = Machine(choose=self.machine.choose, life=runtime().token(), journaling=self.journal is not None)
        # Numbers go on: an old connection that is closed only now must not be taken for a new one of the same number.
        machine.serial = self.machine.serial
        rebuild(machine, kept, self.clock())
        if self.journal is not None:
            self._write(self.journal.compact, survivors(machine))
            if self.failed:
                raise BrokerUnavailable(self.down)
        self.machine, self.down, self._timer_at = machine, None, NEVER
        self.tell()

    def end(self, why: str) -> None:
        """Go down: all connections are lost.  The machine stays as it is: a dead broker tells no queue about it."""
        self.down = why
        for connection in list(self.connections.values()):
            connection.lose(ConnectionLost(why))
        self.connections.clear()
        self.changes += 1
        self.changed.notify_all()

    def lose(self, connection: EmbeddedConnection, why: BrokerUnavailable) -> None:
        """One connection ends; one that is lost already stays as it is."""
        if self.connections.pop(connection.number, None) is not None:
            self.machine.disconnect(connection.number, self.clock())
        connection.lose(why)

    def tell(self) -> None:
        """Write down what must survive, then pass on what the machine says: never the other way round."""
        machine = self.machine
        if self.down is not None:
            return  # a broker that is down tells nobody anything, and its journal may be another's by now
        if machine.stuck:
            machine.retry_stuck(self.clock())
        log, effects = machine.take_log(), machine.take_effects()
        if log and self.journal is not None:
            self._write(self.journal.write, log)
            if self.journal.is_bloated and not self.failed:
                self._write(self.journal.compact, survivors(machine))
            if self.failed:
                return  # nobody is told of what may not survive
        for effect in effects:
            if isinstance(effect, ConnectionEnded):
                why = f"The broker closed the connection: {effect.code} {effect.text}"
                self.lose(self.connections[effect.connection], ConnectionLost(why))
            elif (channel := self.channels.get(effect.channel)) is not None:
                channel.hear(effect)
        self.changes += 1
        self.changed.notify_all()
        if machine.timed:
            self._set_timer(machine)

    def _write(self, write: Callable[[Iterable[JournalEntry]], None], records: Iterable[JournalEntry]) -> None:
        try:
            write(records)
            self.failed = False
        except OSError as error:
            self.failed = True
            self.end(f"The embedded broker cannot write its journal: {error}")

    # --- time ---

    def _set_timer(self, machine: Machine) -> None:
        soonest = machine.next_expiry()
        if soonest is None or soonest >= self._timer_at:
            return
        self._timer_at = soonest
        self._due.notify_all()
        if self._timer is None:
            self._timer = runtime().thread("embedded-broker-timer", self._expire)
            self._timer.start()

    def _expire(self) -> None:
        """The timer thread: sleeps until the next message expires, however long that is."""
        with self.lock:
            while not self.closed:
                now = self.clock()
                if self.down is not None or self._timer_at == NEVER:
                    self._due.wait()
                elif self._timer_at > now:
                    self._due.wait(self._timer_at - now)
                else:
                    self._timer_at = NEVER
                    self.machine.advance(now)
                    self.tell()

"""The broker as a pure state machine: no threads, no clock, no I/O.

Every operation takes ``now`` (seconds) and leaves what clients are to be told in ``effects`` and what must survive a
restart in ``log``; whoever drives it takes both away.  A client's mistake closes its channel and raises
:class:`~patterns.errors.ChannelClosed`, as RabbitMQ would::

    machine = Machine()
    channel = machine.open_channel(machine.connect("shell"))
    machine.declare_queue(channel, "hello", now=0.0)
    machine.publish(channel, Outgoing("", "hello", b"world"), now=0.0)
    machine.consume(channel, "hello", now=0.0)
    machine.take_effects()  # [Confirm(...), Deliver(...)]
"""

from __future__ import annotations

from patterns.broker.data import Channel, Connection, JournalEntry
from patterns.broker.declaring import Declaring
from patterns.broker.effects import Effect
from patterns.broker.hearing import Hearing
from patterns.broker.lifetimes import next_end, unused_until
from patterns.broker.speaking import Speaking


class Machine(Declaring, Speaking, Hearing):
    """An AMQP 0-9-1 broker that behaves like RabbitMQ, one operation after another."""

    def connect(self, name: str) -> int:
        """A client connects; answers the connection's id."""
        connection = Connection(self.next_serial(), name)
        self.connections[connection.id] = connection
        return connection.id

    def open_channel(self, connection_id: int) -> int:
        """Open a channel in confirm mode; answers its id, unique over all connections."""
        connection = self.connections[connection_id]
        channel = Channel(self.next_serial(), connection)
        self.channels[channel.id] = connection.channels[channel.id] = channel
        return channel.id

    def close_channel(self, channel_id: int, now: float) -> None:
        """The client closes a channel; what it holds unacknowledged is requeued.  Twice is fine."""
        if channel_id in self.channels:
            self.drop_channels([self.channels[channel_id]], now)

    def next_expiry(self) -> float | None:
        """When something expires next, if anything does: call :meth:`advance` then."""
        soonest: float | None = None
        for name, queue in list(self.timed.items()):
            end = next_end(queue)
            if end is None:
                del self.timed[name]
            elif soonest is None or end < soonest:
                soonest = end
        return soonest

    def advance(self, now: float) -> None:
        """Let everything that is due by now expire, and dead letters that had nowhere to go try again."""
        for queue in list(self.timed.values()):
            end = unused_until(queue)
            if end is not None and end <= now:
                self.drop_queue(queue)
            elif not queue.deleted:
                self.serve(queue, now)
        self.retry_stuck(now)

    def take_effects(self) -> list[Effect]:
        """What clients are to be told, in order; the machine forgets it."""
        effects, self.effects = self.effects, []
        return effects

    def take_log(self) -> list[JournalEntry]:
        """What is to be written down before anybody is told anything; the machine forgets it."""
        log, self.log = self.log, []
        return log

"""The client's side of the embedded broker: a connection as :mod:`patterns.amqp` promises it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from patterns.broker.channel import EmbeddedChannel
from patterns.errors import BrokerUnavailable, ConnectionLost

if TYPE_CHECKING:
    from patterns.broker.engine import Engine


class EmbeddedConnection:
    """One connection to the embedded broker."""

    channel_type: Callable[[Engine, EmbeddedConnection, int], EmbeddedChannel] = EmbeddedChannel
    """What its channels are made with."""

    def __init__(self, engine: Engine, name: str, number: int) -> None:
        self.name, self.number = name, number
        self.channels: dict[int, EmbeddedChannel] = {}
        self.lost: BrokerUnavailable | None = None
        self._engine = engine

    @property
    def is_open(self) -> bool:
        """Whether the connection still works."""
        return self.lost is None

    @property
    def blocked(self) -> str | None:
        """Never: this broker takes whatever the disk takes."""
        return None

    def channel(self) -> EmbeddedChannel:
        """Open a channel with publisher confirms on."""
        with self._engine.operation() as (machine, _):
            if self.lost is not None:
                raise self.lost
            channel = self.channel_type(self._engine, self, machine.open_channel(self.number))
            self.channels[channel.number] = self._engine.channels[channel.number] = channel
            return channel

    def lose(self, why: BrokerUnavailable) -> None:
        """The connection is gone for good, with its channels, and says why from now on (under the engine's lock)."""
        self.lost = self.lost or why
        for channel in list(self.channels.values()):
            channel.end(self.lost)

    def close(self) -> None:
        """Close the connection and its channels.  Closing twice is fine."""
        self._engine.disconnect(self, ConnectionLost("This connection was closed by its owner"))

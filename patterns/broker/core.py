"""The machine's ground floor: what it remembers, and what it may not decide itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Self

from patterns.broker.data import Channel, Connection, Consumer, JournalEntry, Queue
from patterns.broker.effects import Effect
from patterns.broker.exchanges import PREDECLARED, Exchange
from patterns.errors import ChannelClosed

Chooser = Callable[[Queue, Sequence[Consumer]], Consumer | None]
"""Says which of several ready consumers gets the next message: RabbitMQ promises no order, so tests may choose any.

None: nobody now; whoever says so sees to it that the queue is served again.
"""


class Core:
    """The machine's memory.  ``effects`` and ``log`` are for the driver to take away after each operation."""

    def __init__(self, *, choose: Chooser | None = None, life: str = "0", journaling: bool = False) -> None:
        self.choose = choose  # None: in turn
        self.life = life  # differs between restarts, so that names given out by an earlier life mean nothing now
        self.journaling = journaling
        self.exchanges = {name: Exchange(name, kind) for name, kind in PREDECLARED.items()}
        self.queues: dict[str, Queue] = {}
        self.connections: dict[int, Connection] = {}
        self.channels: dict[int, Channel] = {}
        self.requesters: dict[str, Channel] = {}  # direct reply-to: token -> who waits
        self.timed: dict[str, Queue] = {}  # queues that hold, or may hold, something that expires
        self.stuck: dict[str, Queue] = {}  # queues with dead letters that have nowhere to go
        self.serial = 0  # of entries, connections, channels and names: never used twice
        self.effects: list[Effect] = []
        self.log: list[JournalEntry] = []

    def next_serial(self) -> int:
        """A number that was never used before."""
        self.serial += 1
        return self.serial

    def snapshot(self) -> Self:
        """A deep copy: what happens to one is not seen by the other."""
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = type(self)(choose=self.choose, life=self.life, journaling=self.journaling)
        memo[id(self)] = other
        for name, value in self.__dict__.items():
            if name != "choose":  # belongs to whoever drives the machine
                setattr(other, name, copy.deepcopy(value, memo))
        return other

    def channel(self, channel: int) -> Channel:
        """The open channel with this id.  Raises ChannelClosed when there is none."""
        found = self.channels.get(channel)
        if found is None:
            raise ChannelClosed(504, f"CHANNEL_ERROR - there is no open channel {channel}")
        return found

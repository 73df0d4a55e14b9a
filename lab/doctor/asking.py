"""Questions to a broker that it may refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from patterns.amqp import Channel, Connection
from patterns.errors import ChannelClosed

T = TypeVar("T")


class Asker:
    """Asks one question after another; where a refusal closes the channel, the next one gets a new channel."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._channel: Channel | None = None

    def ask(self, question: Callable[[Channel], T]) -> T | ChannelClosed:
        """The answer, or the broker's refusal.  Raises ConnectionLost."""
        if self._channel is None or not self._channel.is_open:
            self._channel = self.connection.channel()
        try:
            return question(self._channel)
        except ChannelClosed as refusal:
            return refusal

"""Circles of dead letters, as the RabbitMQ that is compared judges them, and those in which it never comes to rest.

A letter that comes back to a queue it died in is dropped, unless a client rejected it on the way.  RabbitMQ 3.10 turns a
message's earlier deaths round with each new one, and judges by what is first there.  So a letter that was rejected once may
go on in its circle, and two that push each other out of a queue too short for both never come to rest.
"""

from __future__ import annotations

from dataclasses import replace

from patterns.broker import Machine
from patterns.broker.core import Chooser
from patterns.broker.data import Entry, Message, Queue
from patterns.broker.deadletter import deaths_of

FOR_EVER = 40
"""Deaths of which each is the next one's reason; a program that comes to rest has a dozen at most."""


class CirclingMachine(Machine):
    """A broker that turns deaths round if RabbitMQ does, and notices when there is no end."""

    def __init__(self, choose: Chooser, *, turns_deaths: bool) -> None:
        super().__init__(choose=choose)
        self.turns_deaths = turns_deaths
        self.endless = False
        self.deepest = 0
        """How many queues, one after another, a death and what followed from it went through in this step."""
        self._burials = 0  # those that are not over

    def bury(self, queue: Queue, entry: Entry, reason: str, now: float) -> None:
        """Take a dead message out of its queue; what follows from it is over before this is."""
        self.endless = self.endless or self._burials > FOR_EVER
        if self.endless:
            return
        if self.turns_deaths:
            entry.message = turned(entry.message)
        self._burials += 1
        self.deepest = max(self.deepest, self._burials)
        super().bury(queue, entry, reason, now)
        self._burials -= 1


def turned(message: Message) -> Message:
    """The message with its deaths the other way round."""
    headers = message.properties.headers
    deaths = deaths_of(headers)
    if len(deaths) < 2:
        return message
    return replace(message, properties=replace(message.properties, headers={**headers, "x-death": deaths[::-1]}))

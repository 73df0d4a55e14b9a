"""What is there of what the wiring wants: asked over AMQP, which needs no more rights than the services have.

A passive declaration says whether something exists; one with the wanted arguments, of something that exists, changes
nothing and is refused (406) when it is there with others (https://www.rabbitmq.com/docs/queues#property-equivalence).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lab.doctor.asking import Asker
from lab.doctor.wanted import Wanted
from patterns.amqp import Channel, QueueInfo
from patterns.errors import ChannelClosed

NOT_FOUND, PRECONDITION_FAILED = 404, 406
DIFFERENCE = re.compile(r"inequivalent arg '([^']+)'.*: received (.+) but current is (.+?)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Standing:
    """How something that exists stands to what is wanted; ``refused``: why we may not know."""

    differs: str = ""
    refused: str = ""
    messages: int = 0  # ready ones
    consumers: int = 0


@dataclass
class There:
    """How each exchange and queue stands; what is missing is None."""

    exchanges: dict[str, Standing | None] = field(default_factory=dict)
    queues: dict[str, Standing | None] = field(default_factory=dict)

    def ready(self, queue: str) -> int:
        """How many messages are ready in a queue."""
        standing = self.queues.get(queue)
        return 0 if standing is None else standing.messages

    def consumers(self, queue: str) -> int:
        """How many read a queue."""
        standing = self.queues.get(queue)
        return 0 if standing is None else standing.consumers


def look(asker: Asker, wanted: Wanted) -> There:
    """Ask for every exchange and queue that is wanted."""
    return There(
        {name: exchange_standing(asker, name, kind) for name, kind in wanted.exchanges.items()},
        {name: queue_standing(asker, name, arguments) for name, arguments in wanted.queues.items()},
    )


def exchange_standing(asker: Asker, name: str, kind: str) -> Standing | None:
    """How an exchange stands to the wanted kind."""
    found = asker.ask(lambda channel: channel.declare_exchange(name, kind, passive=True))
    if isinstance(found, ChannelClosed):
        return None if found.code == NOT_FOUND else Standing(refused=_told(found))
    return _compared(asker, lambda channel: channel.declare_exchange(name, kind), 0, 0)


def queue_standing(asker: Asker, name: str, arguments: Mapping[str, object]) -> Standing | None:
    """How a queue stands to the wanted arguments, and how full and read it is."""
    found = asker.ask(lambda channel: channel.declare_queue(name, passive=True))
    if isinstance(found, ChannelClosed):
        return None if found.code == NOT_FOUND else Standing(refused=_told(found))
    return _compared(
        asker, lambda channel: channel.declare_queue(name, arguments=arguments), found.messages, found.consumers
    )


def _compared(asker: Asker, declare: Callable[[Channel], QueueInfo | None], messages: int, consumers: int) -> Standing:
    again = asker.ask(declare)
    if not isinstance(again, ChannelClosed):
        return Standing(messages=messages, consumers=consumers)
    if again.code == PRECONDITION_FAILED:
        return Standing(differs=difference(again.text), messages=messages, consumers=consumers)
    return Standing(refused=_told(again), messages=messages, consumers=consumers)


def difference(text: str) -> str:
    """RabbitMQ's words for the first argument that differs, shorter."""
    found = DIFFERENCE.search(text)
    if found is None:
        return text
    name, wanted, current = found.groups()
    return f"{name} is {_value(current)}, wanted is {_value(wanted)}"


def differences(wanted: Mapping[str, object], current: Mapping[str, object]) -> str:
    """Every argument in which a queue is other than wanted, in the same words."""
    both = [{"x-queue-type": "classic", **arguments} for arguments in (current, wanted)]
    values = {name: [_plain(arguments.get(name)) for arguments in both] for name in sorted({*both[0], *both[1]})}
    return "; ".join(f"{name} is {there}, wanted is {want}" for name, (there, want) in values.items() if there != want)


def _plain(value: object) -> str:
    return "none" if value is None else str(value) or "empty"


def _value(words: str) -> str:
    found = re.search(r"'(.*)'", words.partition(" of type ")[0])
    return (found[1] or "empty") if found else words


def _told(refusal: ChannelClosed) -> str:
    return f"{refusal.code} {refusal.text}"

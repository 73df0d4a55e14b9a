"""What the wiring wants of a broker: recorded from the very code that declares it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, cast
from uuid import UUID

from lab.shop import wirings_of
from patterns import topology
from patterns.address import Answer
from patterns.amqp import Channel

SOME_ORDER = UUID(int=0)
"""Keys that name an order are tried with this one."""


class Binding(NamedTuple):
    """A queue gets what an exchange has with this key."""

    exchange: str
    queue: str
    key: str

    def __str__(self) -> str:
        return f"{self.exchange} → {self.queue} ({self.key or 'everything'})"


@dataclass
class Wanted:
    """Exchanges with their kinds, queues with their arguments, bindings; and who reads and writes where."""

    exchanges: dict[str, str] = field(default_factory=dict)
    queues: dict[str, dict[str, Any]] = field(default_factory=dict)
    bindings: dict[Binding, None] = field(default_factory=dict)  # in the order of the wiring
    readers: dict[str, list[str]] = field(default_factory=dict)  # service to the queues it reads
    writes: dict[str, set[str]] = field(default_factory=dict)  # exchange to routing keys

    # What :mod:`patterns.topology` asks of a channel.

    def declare_exchange(self, name: str, kind: str) -> None:
        """Note an exchange."""
        self.exchanges[name] = kind

    def declare_queue(self, name: str, *, arguments: Mapping[str, Any] | None = None) -> None:
        """Note a queue."""
        self.queues[name] = dict(arguments or {})

    def bind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        """Note a binding."""
        self.bindings[Binding(exchange, queue, routing_key)] = None

    @contextmanager
    def pipeline(self) -> Iterator[Self]:
        """Note all that is declared within."""
        yield self


def wanted_by(services: Iterable[str]) -> Wanted:
    """What these services declare, read and write, with the settings in force."""
    wanted = Wanted()
    for service in services:
        wirings = wirings_of(service)
        topology.declare(cast("Channel", wanted), service, wirings)  # it declares, nothing else
        wanted.readers[service] = [*topology.heard_queues(service, wirings), topology.dead_queue(service)]
        wanted.writes.setdefault("", set()).update((topology.parked_queue(service), *wanted.readers[service]))
        for wiring in wirings.values():
            for _, address in wiring.says:
                if not isinstance(address, Answer):
                    exchange, key = address.target(SOME_ORDER)
                    wanted.writes.setdefault(exchange, set()).add(key)
    for exchange in wanted.exchanges:
        if exchange in wanted.queues:  # a retry exchange: a message is sent there with its own queue as key
            wanted.writes[exchange] = {queue for queues in wanted.readers.values() for queue in queues}
    return wanted

"""The simulated broker: production's embedded one, over connections that break.

Calls are places where others may come first; what a client is told and what the broker did may differ, as they do when
a network is between them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lab.simulation.nature import HEARTBEAT_SECONDS
from lab.simulation.scheduler import Process
from patterns.amqp import Cancelled, Declares, Delivery, Outgoing, Receipt
from patterns.broker.channel import EmbeddedChannel
from patterns.broker.connection import EmbeddedConnection
from patterns.errors import BrokerUnavailable

if TYPE_CHECKING:
    from lab.simulation.world import World
    from patterns.broker.engine import Engine


BLOCKED_SECONDS = 5.0
"""How long a broker may hold a publisher up until the connection counts as lost (production: 30)."""


class SimulatedTransport:
    """One process's way to the broker."""

    def __init__(self, world: World, process: Process) -> None:
        self.world, self.process = world, process

    def connect(self, name: str) -> SimulatedConnection:
        """Connect, if the broker is there."""
        if self.world.injector.at("connect", name) == "broker away":
            raise BrokerUnavailable("The broker does not answer.")
        connection = self.world.broker.connect(f"{self.process.name}/{name}")
        connection.channel_type = partial(SimulatedChannel, self.world)
        return SimulatedConnection(self.world, connection)


class SimulatedConnection:
    """A connection that hears of alarms."""

    def __init__(self, world: World, inner: EmbeddedConnection) -> None:
        self._world, self._inner = world, inner
        self.channel, self.close = inner.channel, inner.close

    @property
    def is_open(self) -> bool:
        """Whether the connection still works."""
        return self._inner.is_open

    @property
    def blocked(self) -> str | None:
        """Why the broker takes no messages just now."""
        return "an alarm" if self._world.blocked_until > self._world.scheduler.now else None


class Standing:
    """A topology that is there."""

    def declare_exchange(self, name: str, kind: str) -> None:
        """It is there."""

    def declare_queue(self, name: str, *, arguments: Mapping[str, Any] | None = None) -> None:
        """It is there."""

    def bind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        """It is there."""


class SimulatedChannel(EmbeddedChannel):
    """A channel whose calls are places."""

    def __init__(self, world: World, engine: Engine, connection: EmbeddedConnection, number: int) -> None:
        super().__init__(engine, connection, number)
        self.world = world

    def _lose(self) -> None:
        self._connection.close()

    def pipeline(self) -> AbstractContextManager[Declares]:
        """Every queue is there since the world began, and nobody deletes one: saying it again would only take time."""
        return nullcontext(Standing())

    def consume(self, queue: str, *, auto_ack: bool = False, exclusive: bool = False) -> str:
        """Start a consumer."""
        self.world.injector.at("consume", queue)
        return super().consume(queue, auto_ack=auto_ack, exclusive=exclusive)

    def cancel(self, consumer: str) -> None:
        """Stop a consumer."""
        self.world.injector.at("cancel", consumer)
        super().cancel(consumer)

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        """Publish; what the broker has, and what we are told, may differ."""
        types = ", ".join(sorted({message.properties.type or "?" for message in messages}))
        unknown = [Receipt.UNKNOWN] * len(messages)
        fault = self.world.injector.at("publish", types)
        if fault == "refused":
            return [Receipt.REFUSED] * len(messages)
        if fault == "unroutable":  # only what is mandatory comes back; of the rest the broker says that all is well
            return [Receipt.RETURNED if message.mandatory else Receipt.CONFIRMED for message in messages]
        if fault == "newer words":
            messages = [newer(message) for message in messages]
        if self._held_up(timeout) or not self._arrives(fault, messages, timeout):
            self._lose()
            return unknown
        self._count(messages)
        receipts = super().publish(messages, timeout)
        fault = self.world.injector.at("published", types)
        if fault == "confirm lost":
            self._lose()
            return unknown
        if fault == "published twice" and self.is_open:
            super().publish(messages, timeout)
        return receipts

    def _held_up(self, timeout: float) -> bool:
        """Wait while the broker takes no messages; whether that took too long."""
        scheduler = self.world.scheduler
        until = scheduler.now + min(timeout, BLOCKED_SECONDS)
        while self.is_open and scheduler.now < min(until, self.world.blocked_until):
            scheduler.wait(min(until, self.world.blocked_until) - scheduler.now)
        return self.world.blocked_until > scheduler.now

    def _arrives(self, fault: str | None, messages: Sequence[Outgoing], timeout: float) -> bool:
        """Whether the broker gets all and can say so; it may get some, or all, and we hear nothing."""
        if fault == "half published":
            super().publish(messages[: len(messages) // 2], timeout)
        elif fault == "black hole":
            if self.world.scheduler.chance.random() < 0.5:
                super().publish(messages, timeout)
            self.world.scheduler.wait(HEARTBEAT_SECONDS)
        return fault not in ("publish lost", "half published", "black hole")

    def _count(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self.world.seen["retried"] += message.exchange.startswith("orderflow.retry.")
            self.world.seen["parked"] += message.routing_key.endswith(".parked")

    def take(self, limit: int, timeout: float | None) -> list[Delivery | Cancelled]:
        """Wait until something arrived."""
        taken = super().take(limit, timeout)
        if taken:
            deliveries = [item for item in taken if isinstance(item, Delivery)]
            self.world.seen["redelivered"] += sum(one.redelivered for one in deliveries)
            self.world.injector.at("take", ", ".join(one.properties.type or "?" for one in deliveries))
        return taken

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Say that a delivery is done with; the broker may not hear it."""
        if self.world.injector.at("ack") == "ack lost":
            self._lose()
        else:
            super().ack(tag, multiple=multiple)


def newer(message: Outgoing) -> Outgoing:
    """The message as a later version of our code would say it: with a field that today's readers do not know."""
    try:
        body = json.loads(message.body)
    except ValueError:
        return message  # poison on its way aside
    if not isinstance(body, dict):
        return message
    headers = {**message.properties.headers, "schema_version": "1.9"}
    properties = replace(message.properties, headers=headers)
    return replace(message, body=json.dumps({**body, "added_later": [1]}).encode(), properties=properties)

"""The simulated broker: production's embedded one, over connections that break.

Calls are places where others may come first; what a client is told and what the broker did may differ, as they do when
a network is between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from lab.simulation.scheduler import Process
from patterns.amqp import Cancelled, Declares, Delivery, Outgoing, Receipt
from patterns.broker.channel import EmbeddedChannel
from patterns.broker.connection import EmbeddedConnection
from patterns.errors import BrokerUnavailable

if TYPE_CHECKING:
    from lab.simulation.world import World


class SimulatedTransport:
    """One process's way to the broker."""

    def __init__(self, world: World, process: Process) -> None:
        self.world, self.process = world, process

    def connect(self, name: str) -> EmbeddedConnection:
        """Connect, if the broker is there."""
        if self.world.injector.at("connect", name) == "broker away":
            raise BrokerUnavailable("The broker does not answer.")
        connection = self.world.broker.connect(f"{self.process.name}/{name}")
        world = self.world

        class OfThisWorld(SimulatedChannel):
            at = staticmethod(world.injector.at)

        connection.channel_type = OfThisWorld
        return connection


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

    @staticmethod
    def at(place: str, whose: str = "") -> str | None:
        """See :meth:`lab.simulation.faults.Injector.at`."""
        raise NotImplementedError

    def _lose(self) -> None:
        self._connection.close()

    def pipeline(self) -> AbstractContextManager[Declares]:
        """Every queue is there since the world began, and nobody deletes one: saying it again would only take time."""
        return nullcontext(Standing())

    def consume(self, queue: str, *, auto_ack: bool = False, exclusive: bool = False) -> str:
        """Start a consumer."""
        self.at("consume", queue)
        return super().consume(queue, auto_ack=auto_ack, exclusive=exclusive)

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        """Publish; what the broker has, and what we are told, may differ."""
        types = ", ".join(sorted({message.properties.type or "?" for message in messages}))
        unknown = [Receipt.UNKNOWN] * len(messages)
        fault = self.at("publish", types)
        if fault in ("publish lost", "half published"):
            if fault == "half published":
                super().publish(messages[: len(messages) // 2], timeout)
            self._lose()
            return unknown
        if fault == "refused":
            return [Receipt.REFUSED] * len(messages)
        if fault == "unroutable":  # only what is mandatory comes back; of the rest the broker says that all is well
            return [Receipt.RETURNED if message.mandatory else Receipt.CONFIRMED for message in messages]
        receipts = super().publish(messages, timeout)
        fault = self.at("published", types)
        if fault == "confirm lost":
            self._lose()
            return unknown
        if fault == "published twice" and self.is_open:
            super().publish(messages, timeout)
        return receipts

    def take(self, limit: int, timeout: float | None) -> list[Delivery | Cancelled]:
        """Wait until something arrived."""
        taken = super().take(limit, timeout)
        if taken:
            self.at("take", ", ".join(item.properties.type or "?" for item in taken if isinstance(item, Delivery)))
        return taken

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Say that a delivery is done with; the broker may not hear it."""
        if self.at("ack") == "ack lost":
            self._lose()
        else:
            super().ack(tag, multiple=multiple)

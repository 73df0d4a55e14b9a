"""A broker with the program's clients on it: what both brokers are asked in the same words."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lab.differential.likeness import Arrived, alike
from lab.differential.operations import CLIENTS, SHORT
from patterns.amqp import DIRECT_REPLY_TO, Channel, Connection, Delivery, Outgoing, Transport
from patterns.errors import BrokerUnavailable, ChannelClosed

CONNECTION_OF = (0, 0, 1)
"""Which connection each client's channel is on."""

CONFIRMED_WITHIN = 300.0
"""Seconds a confirm may take, on a machine that has much else to do: one that is late is not missing."""

Outcomes = list[Any]


@dataclass(frozen=True)
class Call:
    """One call to a client's channel (or to its side), with names of ours for what brokers name themselves."""

    client: int
    name: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    consumer: str = ""
    """What we call the consumer that this starts, or stops."""

    def __str__(self) -> str:
        given = [_short(each) for each in self.args] + [f"{name}={value!r}" for name, value in self.options.items()]
        return f"client {self.client}: {self.name}({', '.join(given)}) {self.consumer}".rstrip()


class Side:
    """One broker and the clients on it."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.connections: list[Connection] = [transport.connect(f"differential {number}") for number in (0, 1)]
        self.channels: list[Channel] = [self.connections[at].channel() for at in CONNECTION_OF]
        self.names: dict[str, str] = {}  # a consumer's tag -> what we call it
        self.tags: dict[str, str] = {}  # and back
        self.askers: dict[str, str] = {}  # the body of a request -> where its answer goes

    def perform(self, call: Call) -> Any:
        """Make the call; a refusal is an answer too."""
        try:
            return self._perform(call)
        except (ChannelClosed, BrokerUnavailable) as error:
            return error

    def _perform(self, call: Call) -> Any:
        channel = self.channels[call.client]
        match call.name:
            case "reopen":
                channel.close()
                self.channels[call.client] = self.connections[CONNECTION_OF[call.client]].channel()
            case "reconnect":
                self.reconnect(CONNECTION_OF[call.client])
            case "pass_time":
                self.pass_time()
            case "cancel":
                channel.cancel(self.tags[call.consumer])
            case "consume":
                tag = channel.consume(*call.args, **call.options)
                self.names[tag], self.tags[call.consumer] = call.consumer, tag
            case "publish":
                return channel.publish([self._addressed(message) for message in call.args[0]], CONFIRMED_WITHIN)
            case _:
                return getattr(channel, call.name)(*call.args, **call.options)
        return None

    def _addressed(self, message: Outgoing) -> Outgoing:
        asker = message.routing_key.removeprefix(f"{DIRECT_REPLY_TO}:")
        return message if asker == message.routing_key else replace(message, routing_key=self.askers.get(asker, "gone"))

    def reconnect(self, number: int) -> None:
        """Close a connection and open it again, with its clients' channels."""
        self.connections[number].close()
        self.connections[number] = self.transport.connect(f"differential {number}")
        for client in range(CLIENTS):
            if CONNECTION_OF[client] == number:
                self.channels[client] = self.connections[number].channel()

    def mend(self) -> list[int]:
        """Open again what a mistake closed; answers whose channels those were."""
        for number, connection in enumerate(self.connections):
            if not connection.is_open:
                broken = [client for client in range(CLIENTS) if CONNECTION_OF[client] == number]
                self.reconnect(number)
                return broken + self.mend()
        closed = [client for client, channel in enumerate(self.channels) if not channel.is_open]
        for client in closed:
            self.channels[client] = self.connections[CONNECTION_OF[client]].channel()
        return closed

    def pass_time(self) -> None:
        """Let so much time go by that what was to expire soon has expired."""
        time.sleep(SHORT / 1000)  # nothing is waited for but time itself

    def taken(self, client: int) -> list[Arrived]:
        """What has arrived at a client by now."""
        try:
            arrived = self.channels[client].take(1000, 0)
        except (ChannelClosed, BrokerUnavailable):
            return []  # it ended, and with it what was not taken
        for item in arrived:
            if isinstance(item, Delivery) and (item.properties.reply_to or "").startswith(DIRECT_REPLY_TO):
                self.askers[item.body.decode()] = item.properties.reply_to or ""
        return arrived

    @property
    def named(self) -> Callable[[str], str]:
        """Says what we call a consumer."""
        return lambda tag: self.names.get(tag, tag)

    def alike(self, outcome: Any) -> Any:
        """An answer of this side, as it may be compared."""
        return alike(outcome, self.named)

    def close(self) -> None:
        """Hang up."""
        for connection in self.connections:
            connection.close()


def _short(given: Any) -> str:
    if isinstance(given, list):
        return ", ".join(
            f"{each.body.decode()} to {each.exchange or 'default'}/{each.routing_key}"
            f"{' mandatory' if each.mandatory else ''}" for each in given
        )
    return repr(given)

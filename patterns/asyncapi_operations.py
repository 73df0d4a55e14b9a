"""What each service sends and receives where, read off the wirings: the operations of an AsyncAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from patterns.address import Address, Answer, Rpc, Saga, reaches
from patterns.hops import CLIENT, Hop, ModeWirings, hops
from patterns.message import Message
from patterns.wiring import Hears, outcomes

Action = Literal["send", "receive"]


@dataclass
class Operation:
    """What one service does at one address of one mode: the messages, the lines that hear them, the possible answers.

    Sets that keep their order.
    """

    service: str
    mode: str
    action: Action
    address: Address
    messages: dict[type[Message], None] = field(default_factory=dict)
    lines: dict[Hears, None] = field(default_factory=dict)
    answers: dict[type[Message], None] = field(default_factory=dict)

    @property
    def channel(self) -> str:
        """The name of its channel: the mode, then the address."""
        return f"{self.mode}.{place(self.address).removeprefix('saga.{order_id}.')}"


def operations(by_mode: Mapping[str, ModeWirings]) -> list[Operation]:
    """Every operation of every service.  What clients do is not among them; what is heard from them is."""
    found: dict[tuple[str, Action, Address], Operation] = {}
    for mode, wirings in by_mode.items():
        for hop in hops(wirings):
            for service, action in _ends(hop):
                operation = found.setdefault(
                    (service, action, hop.address), Operation(service, mode, action, hop.address)
                )
                _add(operation, hop, wirings)
    return list(found.values())


def place(address: Address) -> str:
    """What a channel's address is called: the routing key, the queue, or the fanout exchange."""
    return str(address) if isinstance(address, Saga) else str(address).partition(" ")[2]


def _ends(hop: Hop) -> Iterator[tuple[str, Action]]:
    """Both ends of a hop.  An answer is no operation of its own: it is the reply of its request's."""
    if not isinstance(hop.address, Answer):
        if hop.speaker != CLIENT:
            yield hop.speaker, "send"
        yield hop.listener, "receive"


def _add(operation: Operation, hop: Hop, wirings: ModeWirings) -> None:
    operation.messages[hop.message] = None
    listener = wirings[hop.listener]
    if operation.action == "receive":
        line = listener.line(lambda address: reaches(hop.address, address), hop.message)
        if line is not None:
            operation.lines[line] = None
    if isinstance(hop.address, Rpc):
        back = (answer for answer in outcomes(hop.handler) if not listener.destinations(answer))
        operation.answers.update(dict.fromkeys(back))

"""Hops: every way a message can go in one mode, read off the services' wirings.

The checks, the drawings and the model of the flow all stand on this one reading, so that they cannot disagree about
who hears what.  It looks at no broker and calls no handler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import get_args, get_origin, get_type_hints

from patterns.address import Address, Answer, Rpc
from patterns.message import Message
from patterns.place_order import PlaceOrder
from patterns.shop import CancelOrder, OrderCancelled, OrderPlaced, OrderStatus
from patterns.wiring import Handler, Hears, Wiring, accepts, outcomes

CLIENT = "client"
"""Whoever is outside: says the front doors' messages, and is told what no service hears."""

DOORS: tuple[type[Message], ...] = (PlaceOrder, CancelOrder)
STARTS: tuple[type[Message], ...] = (OrderPlaced, OrderCancelled)
"""What a story begins with; also said without having heard anything, for an HTTP client or a deadline."""
FOR_CLIENTS: tuple[type[Message], ...] = (OrderStatus,)

ModeWirings = Mapping[str, Wiring]
"""Each service's wiring, in one mode."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A message on its way: from whoever says it to the handler it reaches."""

    speaker: str
    message: type[Message]
    address: Address
    listener: str
    handler: Handler

    @property
    def what(self) -> tuple[str, str, str, str]:
        """Who says what to whom, and what is done there: whatever the address."""
        return self.speaker, self.message.__name__, self.listener, self.handler.__name__


def hops(wirings: ModeWirings) -> tuple[Hop, ...]:
    """Every hop of a mode: what clients say, what services say, and the answers that go back to the asker."""
    return (*_doors(wirings), *_said(wirings), *_answered(wirings))


@cache
def choices(handler: Handler, message: type[Message]) -> tuple[tuple[type[Message], ...], ...]:
    """What a handler may answer to this message: one of these, each said together.

    A handler that passes on what it heard passes on just that, nothing else that it could have heard.
    """
    others = accepts(handler) - {message}
    said = tuple(outcome for outcome in outcomes(handler) if outcome not in others)
    together = get_origin(get_type_hints(handler)["return"]) is tuple
    return ((said,) if said else ()) if together else tuple((one,) for one in said)


@cache
def may_be_silent(handler: Handler) -> bool:
    """Whether a handler may say nothing at all."""
    hint = get_type_hints(handler)["return"]
    return hint is type(None) or type(None) in get_args(hint)


def all_lines(wirings: ModeWirings) -> Iterator[tuple[str, Hears]]:
    """Every line of ``hears``, with its service."""
    for service, wiring in wirings.items():
        for line in wiring.lines:
            yield service, line


def all_said(wirings: ModeWirings) -> Iterator[tuple[str, type[Message], Address]]:
    """Every line of ``says``, with its service."""
    for service, wiring in wirings.items():
        for message, address in wiring.says:
            yield service, message, address


def askers(wirings: ModeWirings, line: Hears) -> Iterator[str]:
    """Who says a request that this line hears, and so gets its answer."""
    for service, message, address in all_said(wirings):
        if address == line.address and message in accepts(line.handler):
            yield service


def _doors(wirings: ModeWirings) -> Iterator[Hop]:
    for service, line in all_lines(wirings):
        for message in DOORS:
            if message in accepts(line.handler):
                yield Hop(CLIENT, message, line.address, service, line.handler)


def _said(wirings: ModeWirings) -> Iterator[Hop]:
    for speaker, message, address in all_said(wirings):
        for listener, wiring in wirings.items():
            handler = wiring.handler(address, message)
            if handler is not None:
                yield Hop(speaker, message, address, listener, handler)


def _answered(wirings: ModeWirings) -> Iterator[Hop]:
    found: dict[Hop, None] = {}  # a set that keeps the order: two requests may be asked by one and the same service
    for speaker, message, asker in answers(wirings):
        handler = wirings[asker].handler(Answer(), message) if asker in wirings else None
        if handler is not None:
            found[Hop(speaker, message, Answer(), asker, handler)] = None
    yield from found


def answers(wirings: ModeWirings) -> Iterator[tuple[str, type[Message], str]]:
    """What goes back to an asker, for want of an address: who answers, what, and to whom."""
    for speaker, line in all_lines(wirings):
        if isinstance(line.address, Rpc):
            for message in outcomes(line.handler):
                if not wirings[speaker].destinations(message):
                    for asker in askers(wirings, line):
                        yield speaker, message, asker

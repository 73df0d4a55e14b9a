"""What must be so of one service, whatever others do: looked at when it is made, not when the first message arrives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import Column, String

from patterns.address import Answer, Rpc
from patterns.journal import inbox, outbox
from patterns.wiring import Handler, Wirings, accepts, outcomes

_ANY_ORDER = UUID(int=0)


def complaints(service: str, wirings: Wirings, acts: Sequence[Handler] = ()) -> list[str]:
    """All that can be said against a service's wirings by itself.  Raises WiringError for a handler without types."""
    return [*homeless(wirings), *unsayable(wirings, acts), *too_long(service, wirings)]


def homeless(wirings: Wirings) -> list[str]:
    """Whatever a handler may say has an address; only what is asked for by RPC may go back to the asker instead."""
    return list(dict.fromkeys(
        f"{line.handler.__name__} answers {message.__name__}, which has no address in mode {mode}"
        for mode, wiring in wirings.items() for line in wiring.lines if not isinstance(line.address, Rpc)
        for message in outcomes(line.handler) if not wiring.destinations(message)
    ))


def unsayable(wirings: Wirings, acts: Sequence[Handler]) -> list[str]:
    """What the service begins by itself has an address, at least in one mode."""
    sayable = {message for wiring in wirings.values() for message, _ in wiring.says}
    return [
        f"{act.__name__} says {message.__name__}, which has no address in any mode"
        for act in acts for message in outcomes(act) if message not in sayable
    ]


def too_long(service: str, wirings: Wirings) -> list[str]:
    """Every name fits into its column of the journal: PostgreSQL enforces their lengths, SQLite does not."""
    found = {(name, cast("String", column.type).length or 0): None for name, column in _names(service, wirings)}
    return [f"{name!r} is too long: at most {most} characters" for name, most in found if len(name) > most]


def _names(service: str, wirings: Wirings) -> Iterator[tuple[str, Column[str]]]:
    yield service, inbox.c.service
    for mode, wiring in wirings.items():
        yield mode, inbox.c.mode
        for line in wiring.lines:
            yield line.handler.__name__, inbox.c.handler
            yield from ((message.__name__, inbox.c.type) for message in accepts(line.handler))
            if not isinstance(line.address, Answer):
                yield line.address.queue_for(service), inbox.c.queue
        for message, address in wiring.says:
            exchange, key = ("", "") if isinstance(address, Answer) else address.target(_ANY_ORDER)
            yield from ((message.__name__, outbox.c.type), (str(address), outbox.c.address))
            yield from ((exchange, outbox.c.exchange), (key, outbox.c.routing_key))

"""What must be so of one service, whatever others do: looked at when it is made, not when the first message arrives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import cast
from uuid import UUID

from sqlalchemy import Column, String

from patterns.address import Answer, Rpc
from patterns.journal import inbox, outbox
from patterns.wiring import Handler, Wiring, Wirings, accepts, outcomes

_ANY_ORDER = UUID(int=0)


def complaints(service: str, wirings: Wirings, acts: Sequence[Handler] = ()) -> list[str]:
    """All that can be said against a service's wirings by itself.  Raises WiringError for a handler without types."""
    return [*homeless(wirings), *unsayable(wirings, acts), *too_long(service, wirings)]


def homeless(wirings: Wirings) -> list[str]:
    """Whatever a handler may say has an address; only what is asked for by RPC may go back to the asker instead."""
    return list(dict.fromkeys(chain.from_iterable(
        wiring.once((homeless, mode), partial(_homeless, mode, wiring)) for mode, wiring in wirings.items()
    )))


def _homeless(mode: str, wiring: Wiring) -> list[str]:
    return [
        f"{line.handler.__name__} answers {message.__name__}, which has no address in mode {mode}"
        for line in wiring.lines if not isinstance(line.address, Rpc)
        for message in outcomes(line.handler) if not wiring.destinations(message)
    ]


def unsayable(wirings: Wirings, acts: Sequence[Handler]) -> list[str]:
    """What the service begins by itself has an address, at least in one mode."""
    sayable = {message for wiring in wirings.values() for message, _ in wiring.says}
    return [
        f"{act.__name__} says {message.__name__}, which has no address in any mode"
        for act in acts for message in outcomes(act) if message not in sayable
    ]


def too_long(service: str, wirings: Wirings) -> list[str]:
    """Every name fits into its column of the journal: PostgreSQL enforces their lengths, SQLite does not."""
    return list(dict.fromkeys(chain(_longer([(service, _SERVICE)]), *(
        wiring.once((too_long, service, mode), partial(_too_long, service, mode, wiring)) for mode, wiring in wirings.items()
    ))))


def _too_long(service: str, mode: str, wiring: Wiring) -> list[str]:
    return _longer(_names(service, mode, wiring))


def _longer(names: Iterable[tuple[str, int]]) -> list[str]:
    return [f"{name!r} is too long: at most {most} characters" for name, most in names if len(name) > most]


def _most(column: Column[str]) -> int:
    return cast("String", column.type).length or 0


_SERVICE, _MODE, _HANDLER, _HEARD, _QUEUE = map(
    _most, (inbox.c.service, inbox.c.mode, inbox.c.handler, inbox.c.type, inbox.c.queue))
_SAID, _ADDRESS, _EXCHANGE, _KEY = map(
    _most, (outbox.c.type, outbox.c.address, outbox.c.exchange, outbox.c.routing_key))


def _names(service: str, mode: str, wiring: Wiring) -> Iterator[tuple[str, int]]:
    """Each name with the most characters its column takes."""
    yield mode, _MODE
    yield from ((queue, _QUEUE) for queue in wiring.needs(service).queues)
    for line in wiring.lines:
        yield line.handler.__name__, _HANDLER
        yield from ((message.__name__, _HEARD) for message in accepts(line.handler))
    for message, address in wiring.says:
        exchange, key = ("", "") if isinstance(address, Answer) else address.target(_ANY_ORDER)
        yield from ((message.__name__, _SAID), (str(address), _ADDRESS), (exchange, _EXCHANGE), (key, _KEY))

"""Names that a service's journal has room for.

Its columns have a length, which PostgreSQL enforces and SQLite does not: so that what runs embedded also runs there, a
name that is too long is refused when the service is made, not when the first message arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast
from uuid import UUID

from sqlalchemy import Column, String

from patterns.address import Answer
from patterns.journal import inbox, outbox
from patterns.wiring import Wirings, accepts

_ANY_ORDER = UUID(int=0)


def too_long(service: str, wirings: Wirings) -> list[str]:
    """Each name of this service and its wirings that does not fit; none when all is well."""
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

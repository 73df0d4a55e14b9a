"""Hearing: from a delivery to the handler that is meant, before any transaction is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from patterns import envelope
from patterns.address import Answer, Rpc
from patterns.amqp import DIRECT_REPLY_TO, Delivery
from patterns.database import Session
from patterns.envelope import Context
from patterns.errors import Unreadable
from patterns.message import Message
from patterns.wiring import Hears, Wiring, accepts

RowLocks = Callable[[Session, Sequence[Message]], None]
"""Locks all rows that these messages are about and other orders share, in one order for everybody."""


@dataclass(slots=True)
class Heard:
    """A readable delivery, the line of the wiring that handles it, and the verdict of its preparation."""

    delivery: Delivery
    message: Message
    id: UUID
    line: Hears
    context: Context
    verdict: Any = None

    @property
    def asks(self) -> bool:
        """Whether this is an RPC request: someone may wait for the answer, so it is handled every time."""
        return isinstance(self.line.address, Rpc)

    @property
    def answers(self) -> bool:
        """Whether this is the answer to one of our own requests."""
        return isinstance(self.line.address, Answer)

    def handle(self, session: Session) -> tuple[Message, ...]:
        """Let the handler do its work; answers what it says."""
        verdict = () if self.line.preparation is None else (self.verdict,)
        said = self.line.handler(session, self.message, *verdict)
        if said is None:
            return ()
        return said if isinstance(said, tuple) else (said,)


class Hearing:
    """What one service can hear: for each queue its mode, and for each type there the line that handles it."""

    def __init__(self, service: str, wirings: Mapping[str, Wiring]) -> None:
        self._modes: dict[str, str] = {}
        self._lines: dict[str, dict[str, Hears]] = {}
        self._types: dict[str, dict[str, type[Message]]] = {}
        self._broadcast: set[str] = set()
        for mode, wiring in wirings.items():
            for line in wiring.lines:
                address = line.address
                queue = DIRECT_REPLY_TO if isinstance(address, Answer) else address.queue_for(service)
                self._modes[queue] = mode
                if address.broadcast:
                    self._broadcast.add(queue)
                for message in accepts(line.handler):
                    self._lines.setdefault(queue, {})[message.__name__] = line
                    self._types.setdefault(queue, {})[message.__name__] = message

    def hear(self, delivery: Delivery) -> Heard | None:
        """Read a delivery.  None: a broadcast that is none of our business.  Raises Unreadable with the reason."""
        queue = delivery.queue
        mode = self._modes[queue]
        message = envelope.read(delivery, self._types[queue], mode)
        if message is None:
            if queue in self._broadcast:
                return None
            known = ", ".join(sorted(self._types[queue]))
            raise Unreadable(f"type {delivery.properties.type!r} is not understood at {queue}; understood: {known}")
        line = self._lines[queue][message.type]
        return Heard(delivery, message, envelope.identity(delivery), line, envelope.context_of(delivery, mode))

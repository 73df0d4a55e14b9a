"""A mode is a wiring, not a rewrite: what a service hears, and where it says what its handlers answer.

A handler is one local transaction: ``handler(session, message) -> message | None`` (or a tuple of messages).  Its
annotations are the contract: the last parameter names the types it takes, the return type those it may say.  A line of
``hears`` may name a preparation, run before the transaction, whose verdict the handler gets as a third argument.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from patterns.address import Address, Answer, Kind, Queue, reaches
from patterns.errors import WiringError
from patterns.message import Message

Handler = Callable[..., Message | tuple[Message, ...] | None]
Preparation = Callable[[Any], Any]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hears:
    """One line of a wiring: at this address, this handler (after this preparation)."""

    address: Address
    handler: Handler
    preparation: Preparation | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What must exist at the broker before a service hears and speaks as a wiring says."""

    queues: tuple[str, ...]
    exchanges: tuple[tuple[str, Kind], ...]
    bindings: tuple[tuple[str, str, str], ...]  # queue, exchange, key


@dataclass(frozen=True)
class Wiring:
    """What one service hears and says in one mode."""

    hears: tuple[tuple[Address, Handler] | tuple[Address, Handler, Preparation], ...] = ()
    says: tuple[tuple[type[Message], Address], ...] = ()

    @cached_property
    def lines(self) -> tuple[Hears, ...]:
        """The lines of ``hears``, with names."""
        return tuple(Hears(*line) for line in self.hears)

    def needs(self, service: str) -> Needs:
        """What must exist for this service; found out once, since every new connection declares it."""
        return self.once((Needs, service), lambda: self._needs(service))

    def _needs(self, service: str) -> Needs:
        said, heard = [address for _, address in self.says], [line.address for line in self.lines]
        bound = [address for address in heard if not isinstance(address, Queue | Answer)]
        exchanges = [(one.exchange, one.kind) for one in (*said, *heard) if not isinstance(one, Queue | Answer)]
        return Needs(
            tuple(dict.fromkeys(one.queue_for(service) for one in heard if not isinstance(one, Answer))),
            tuple(dict.fromkeys(exchanges)),
            tuple(dict.fromkeys((one.queue_for(service), one.exchange, one.binding) for one in bound)),
        )

    def once(self, question: object, find: Callable[[], T]) -> T:
        """The answer to a question about this wiring, found once: a wiring does not change."""
        if question not in self._found:
            self._found[question] = find()
        found: T = self._found[question]
        return found

    @cached_property
    def _found(self) -> dict[object, Any]:
        return {}

    def destinations(self, message: type[Message]) -> tuple[Address, ...]:
        """Where this service says such a message; nowhere means: back to the asker."""
        return tuple(address for said, address in self.says if said is message)

    def line(self, heard_at: Callable[[Address], bool], message: type[Message]) -> Hears | None:
        """The line that handles such a message, among those whose address qualifies."""
        for line in self.lines:
            if heard_at(line.address) and message in accepts(line.handler):
                return line
        return None

    def handler(self, said_at: Address, message: type[Message]) -> Handler | None:
        """The handler that a message said at this address reaches here."""
        line = self.line(lambda address: reaches(said_at, address), message)
        return line.handler if line else None

    @property
    def hears_answers(self) -> bool:
        """Whether this service asks: then it needs a place where answers arrive."""
        return any(isinstance(line.address, Answer) for line in self.lines)


def at(address: Address, *handlers: Handler) -> tuple[tuple[Address, Handler], ...]:
    """Lines of ``hears``: several handlers at one address, told apart by the types they take."""
    return tuple((address, handler) for handler in handlers)


def to(address: Address, *messages: type[Message]) -> tuple[tuple[type[Message], Address], ...]:
    """Lines of ``says``: several messages to one address."""
    return tuple((message, address) for message in messages)


Wirings = Mapping[str, Wiring]
"""A service's wiring for each mode; or, where a mode is looked at as a whole, each service's wiring for that mode."""


@cache
def accepts(handler: Handler) -> frozenset[type[Message]]:
    """The messages a handler takes: the annotation of its second parameter.  Raises WiringError without one."""
    names = [*inspect.signature(handler).parameters, "", ""]
    taken = frozenset(_members(get_type_hints(handler).get(names[1])))
    if not taken:
        raise WiringError(f"{handler.__name__}: its second parameter must be annotated with the message types it takes")
    return taken


@cache
def outcomes(handler: Handler) -> tuple[type[Message], ...]:
    """The messages a handler may say: the members of its return annotation, in the order written.

    Raises WiringError without one.
    """
    hints = get_type_hints(handler)
    if "return" not in hints:
        raise WiringError(f"{handler.__name__}: what it returns must be annotated, with None if it says nothing")
    return tuple(dict.fromkeys(_members(hints["return"])))


def _members(hint: Any) -> list[type[Message]]:
    """The message types in an annotation such as ``A | None`` or ``tuple[A | B, ...]``."""
    if get_origin(hint) in (Union, types.UnionType, tuple):
        return [member for part in get_args(hint) for member in _members(part)]
    return [hint] if isinstance(hint, type) and issubclass(hint, Message) else []

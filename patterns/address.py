"""Addresses: every place a message can be said to, as frozen values.

An address is declared once, in a service's ``rabbitmq.py``, and printed as one says it.  It knows its exchange, the
routing key a message of one order gets there, and which queue a service hears it with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

Kind = Literal["direct", "fanout", "topic"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue on the default exchange: one copy, to one of its readers."""

    name: str
    broadcast: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"queue {self.name}"

    def queue_for(self, service: str) -> str:  # noqa: ARG002 (the same question for every address)
        """The queue one hears this address with."""
        return self.name

    def target(self, order_id: UUID | None) -> tuple[str, str]:  # noqa: ARG002
        """The exchange and routing key to publish to."""
        return "", self.name


@dataclass(frozen=True, slots=True)
class Rpc(Queue):
    """A request queue: the handler's answer goes back to the asker."""

    def __str__(self) -> str:
        return f"rpc {self.name}"


@dataclass(frozen=True, slots=True)
class Fanout:
    """A fanout exchange: one copy to every service that listens."""

    exchange: str
    kind: ClassVar[Kind] = "fanout"
    mode: ClassVar[str] = "fanout"
    broadcast: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"fanout {self.exchange}"

    @property
    def binding(self) -> str:
        """The key to bind with: a fanout exchange looks at none."""
        return ""

    def queue_for(self, service: str) -> str:
        """The queue one hears this address with."""
        return f"{service}.{self.mode}"

    def target(self, order_id: UUID | None) -> tuple[str, str]:  # noqa: ARG002
        """The exchange and routing key to publish to."""
        return self.exchange, ""


@dataclass(frozen=True, slots=True)
class _Keyed:
    """A routing key on one of the shop's exchanges."""

    key: str
    exchange: ClassVar[str] = ""
    kind: ClassVar[Kind] = "direct"
    mode: ClassVar[str] = ""
    broadcast: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"{self.mode} {self.key}"

    @property
    def binding(self) -> str:
        """The key to bind with: for every order, where the key names one."""
        return self.key.replace("{order_id}", "*")

    def queue_for(self, service: str) -> str:
        """The queue one hears this address with."""
        return f"{service}.{self.mode}"

    def target(self, order_id: UUID | None) -> tuple[str, str]:
        """The exchange and routing key to publish to."""
        return self.exchange, self.key.replace("{order_id}", str(order_id))


@dataclass(frozen=True, slots=True)
class Direct(_Keyed):
    """A routing key on the direct exchange: whoever bound exactly this key."""

    exchange: ClassVar[str] = "orderflow.direct"
    mode: ClassVar[str] = "direct"


@dataclass(frozen=True, slots=True)
class Topic(_Keyed):
    """A routing key on the topic exchange; listeners may bind with ``*`` (one word) and ``#`` (any words)."""

    exchange: ClassVar[str] = "orderflow.topic"
    kind: ClassVar[Kind] = "topic"
    mode: ClassVar[str] = "topic"


@dataclass(frozen=True, slots=True)
class Saga(_Keyed):
    """A command to a participant, or its event, with the order's id in the key: ``saga.{order_id}. …``."""

    exchange: ClassVar[str] = "orderflow.saga"
    kind: ClassVar[Kind] = "topic"
    mode: ClassVar[str] = "saga"

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class Answer:
    """The asker's end of an :class:`Rpc`: where its answer arrives."""

    broadcast: ClassVar[bool] = False

    def __str__(self) -> str:
        return "answer"


def saga_command(service: str, action: str) -> Saga:
    """Where the orchestrator tells a participant to do something."""
    return Saga(f"saga.{{order_id}}.command.{service}.{action}")


def saga_event(service: str, action: str, result: Literal["success", "failure"] = "success") -> Saga:
    """Where a participant tells the orchestrator what became of it."""
    return Saga(f"saga.{{order_id}}.event.{service}.{action}.{result}")


Bound = Fanout | Direct | Topic | Saga
"""Addresses that are heard through a queue of the listener's own, bound to an exchange."""

Address = Queue | Rpc | Fanout | Direct | Topic | Saga | Answer


def matches(pattern: str, key: str) -> bool:
    """Whether a topic exchange lets this routing key through a binding with this pattern.

    ``*`` stands for one word, ``#`` for any number, also none (https://www.rabbitmq.com/tutorials/amqp-concepts).
    """
    return _match(_words(pattern), _words(key))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(".")) if text else ()


def _match(pattern: tuple[str, ...], key: tuple[str, ...]) -> bool:
    if not pattern:
        return not key
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return _match(rest, key) or (bool(key) and _match(pattern, key[1:]))
    return bool(key) and head in ("*", key[0]) and _match(rest, key[1:])


def reaches(said: Address, heard: Address) -> bool:
    """Whether a message said at one address arrives where someone listens at the other."""
    if type(said) is not type(heard):
        return False
    if isinstance(said, Topic | Saga) and isinstance(heard, Topic | Saga):
        return matches(heard.binding, said.key.replace("{order_id}", "order"))
    return said == heard

"""The hops of a mode in the order they happen: the way forward, each refusal, and the way back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from patterns.address import Answer, Queue, reaches
from patterns.hops import CLIENT, Hop, ModeWirings, all_lines, choices, hops
from patterns.message import Message
from patterns.shop import (
    DeliveryFailed,
    FundsRejected,
    OrderCancelled,
    OrderPlaced,
    PaymentFailed,
    Refusal,
    StockRejected,
)

REFUSALS: tuple[type[Refusal], ...] = (StockRejected, FundsRejected, PaymentFailed, DeliveryFailed)
"""What a step may be refused with, in the order of the steps."""

Kind = Callable[[type[Message]], bool]


def walk(every: Iterable[Hop], start: Iterable[Hop], goes_on: Kind = lambda _: True) -> list[Hop]:
    """The hops from these on, each once, while the story goes on with messages of this kind."""
    # What leads on is told before what only listens.
    every = sorted(every, key=lambda hop: not choices(hop.handler, hop.message))
    first = set(start)
    todo = deque(hop for hop in every if hop in first)
    done: dict[Hop, None] = {}
    while todo:
        hop = todo.popleft()
        if hop not in done:
            done[hop] = None
            said = [message for option in choices(hop.handler, hop.message) for message in option if goes_on(message)]
            todo += [after for after in every if after.speaker == hop.listener and after.message in said]
    return list(done)


def from_clients(every: Iterable[Hop]) -> list[Hop]:
    """What clients say at the front doors."""
    return [hop for hop in every if hop.speaker == CLIENT]


def forward(every: Iterable[Hop]) -> list[Hop]:
    """The way of a successful order."""
    every = list(every)
    return walk(every, (hop for hop in every if hop.message is OrderPlaced), lambda said: not issubclass(said, Refusal))


def refused(every: Iterable[Hop], refusal: type[Refusal]) -> list[Hop]:
    """What happens from the moment in which this step is refused."""
    every = list(every)
    passed_on = {hop.listener for hop in every if hop.message is refusal}
    return walk(every, (hop for hop in every if hop.message is refusal and hop.speaker not in passed_on))


def cancelled(every: Iterable[Hop]) -> list[Hop]:
    """What happens when an order is cancelled: every step is undone, the last one first."""
    every = list(every)
    return walk(every, (hop for hop in every if hop.message is OrderCancelled))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one successful order costs in messages."""

    said: int
    """Messages published, answers included."""
    copies: int
    """Copies that the broker puts into queues."""
    ignored: int
    """Copies among them that reach a service to whom the message means nothing."""


def cost(wirings: ModeWirings) -> Cost:
    """What a successful order costs in this mode."""
    path = forward(hops(wirings))
    said = dict.fromkeys((hop.speaker, hop.message, hop.address) for hop in path)
    copies = 0
    for _, _, address in said:
        if isinstance(address, Queue | Answer):
            copies += 1
        else:
            copies += len({service for service, line in all_lines(wirings) if reaches(address, line.address)})
    return Cost(len(said), copies, copies - len(path))

"""What is known of one order so far, and what is still to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lab.shop import wirings_in
from order.schemas import HistoryEntry, Order
from patterns.hops import CLIENT, hops
from patterns.web import JournalEntry


@dataclass(frozen=True)
class Answer:
    """What the client was told when it placed the order, and after how long."""

    code: int
    status: str
    seconds: float


@dataclass(frozen=True)
class Story:
    """Everything the services tell of an order at one moment; ``away`` are those that do not answer, and why."""

    order_id: UUID
    answer: Answer | None = None
    order: Order | None = None
    history: list[HistoryEntry] = field(default_factory=list)
    messages: list[JournalEntry] = field(default_factory=list)
    away: dict[str, str] = field(default_factory=dict)
    remarks: list[tuple[float, str, str]] = field(default_factory=list)
    """What befell the shop meanwhile: when, whom, what; only who broke it on purpose can tell."""
    over: bool = False
    """Whether nobody goes on: what is not noted as heard by now never will be."""

    @property
    def to_come(self) -> list[str]:
        """What is still under way; empty when the story is at its end."""
        left = [f"{service} does not answer ({why})" for service, why in self.away.items()]
        if self.answer is None:
            left.append("the client waits for its answer")
        if self.order is None or self.order.status == "PROCESSING":
            left.append("the order is not settled")
        elif self.order.status == "FAILED" and self.order.undone_at is None:
            left.append("what was done is not undone yet")
        return left + [f"{one.service}'s {one.type} is not heard by {listener}" for one, listener in self.unheard()]

    def unheard(self) -> Iterator[tuple[JournalEntry, str]]:
        """What was said and not heard yet by somebody who, by the wiring of its mode, is going to hear it."""
        heard = {(one.message_id, one.service) for one in self.messages if one.direction == "heard"}
        for one in self.messages:
            for listener in _listeners(one) if one.direction == "said" else ():
                if (one.message_id, listener) not in heard:
                    yield one, listener

    def as_dict(self) -> dict[str, Any]:
        """The whole story as plain data."""
        return {
            "order_id": str(self.order_id),
            "answer": None if self.answer is None else vars(self.answer),
            "order": None if self.order is None else self.order.model_dump(mode="json"),
            "history": [entry.model_dump(mode="json") for entry in self.history],
            "messages": [entry.model_dump(mode="json") for entry in self.messages],
            "to_come": self.to_come,
        }


def _listeners(said: JournalEntry) -> list[str]:
    """Who hears a message: what the wirings say of its speaker, type and address."""
    return list(dict.fromkeys(
        hop.listener for hop in hops(wirings_in(said.mode))
        if (hop.speaker, hop.message.__name__, str(hop.address)) == (said.service, said.type, said.where)
        and hop.listener != CLIENT
    ))

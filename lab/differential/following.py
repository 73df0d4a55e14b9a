"""The model follows what RabbitMQ did, step by step, and says where it would not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lab.differential.likeness import Arrived, told
from lab.differential.model import ModelSide
from lab.differential.real import RealSide
from lab.differential.sides import CONNECTION_OF, Call
from lab.differential.trail import Trail
from patterns.amqp import Delivery, QueueInfo

WAYS = 200
"""So many ways are tried at most; hardly any program has more than two."""


@dataclass
class Step:
    """What was asked, and what RabbitMQ said."""

    calls: list[Call]
    outcomes: list[Any] = field(default_factory=list)
    arrived: dict[int, list[Arrived]] = field(default_factory=lambda: {client: [] for client in range(len(CONNECTION_OF))})
    ended: list[int] = field(default_factory=list)
    counts: dict[str, tuple[int, int] | None] = field(default_factory=dict)


class Following:
    """A model on its way through one program."""

    def __init__(self, real: RealSide) -> None:
        self.real = real
        self.trail = Trail()
        self.model = self._new()
        self.endless = False
        """Whether one way that was tried never comes to rest."""

    def _new(self) -> ModelSide:
        return ModelSide(self.trail, turns_deaths=self.real.turns_deaths)

    def allows(self, steps: Sequence[Step]) -> bool:
        """Whether this is something the model might have done."""
        try:
            difference = self.again(steps)
            return not (difference and self.otherwise(steps, difference))
        finally:
            self.model.close()

    def again(self, steps: Sequence[Step]) -> str:
        """From the beginning, the way that was taken last; the first difference."""
        self.model.close()
        self.model = self._new()
        return next(filter(None, map(self.step, steps)), "")

    def otherwise(self, steps: Sequence[Step], difference: str) -> str:
        """Other ways, where RabbitMQ is free and nobody sees what it does; the difference, if none fits."""
        for _ in range(WAYS):
            if not self.trail.turn():
                break
            if not self.again(steps):
                return ""
        return difference

    def step(self, step: Step) -> str:
        """One step, as RabbitMQ did it; what differs."""
        model, real = self.model, self.real
        ends = bool(step.ended) or any(call.name in ("reopen", "reconnect") for call in step.calls)
        model.told(step.arrived, real.named, ends=ends)
        outcomes = []
        for call, outcome in zip(step.calls, step.outcomes, strict=True):
            if isinstance(outcome, Delivery):
                model.fetched(outcome)
            model.starting = call.consumer
            outcomes.append(model.perform(call))
        ended = model.mend()
        arrived = model.end_step(step.arrived)
        if model.transport.machine.endless:
            self.endless = True
            return "letters go in circles for ever"
        if ended != step.ended:
            return f"channels ended: the model's {ended}, RabbitMQ's {step.ended}"
        for call, one, two in zip(step.calls, outcomes, step.outcomes, strict=True):
            if isinstance(two, QueueInfo) and model.queues().get(two.name, (0, 0, 0, False))[3]:
                two = replace(two, consumers=getattr(one, "consumers", 0))  # it counts whoever holds something, too
            if model.alike(one) != real.alike(two):
                return f"{call}\n  the model answers {told(one)}\n  RabbitMQ answers  {told(two)}"
        return self._compare(step, arrived)

    def _compare(self, step: Step, arrived: dict[int, list[Arrived]]) -> str:
        for client, ours in arrived.items():
            theirs = step.arrived[client]
            one, two = [self.model.alike(item) for item in ours], [self.real.alike(item) for item in theirs]
            if one != two or [getattr(i, "tag", 0) for i in ours] != [getattr(i, "tag", 0) for i in theirs]:
                return f"client {client} gets\n  from the model {told(ours)}\n  from RabbitMQ  {told(theirs)}"
        queues = self.model.queues()
        for name, counts in step.counts.items():
            ready, consumers, _, quorum = queues.get(name, (-1, -1, 0, False))
            expected = None if ready < 0 else (ready, counts[1] if quorum and counts else consumers)
            if counts != expected:
                return f"{name} has (ready, consumers): the model's {expected}, RabbitMQ's {counts}"
        return ""

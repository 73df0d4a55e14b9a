"""One program on both brokers, until they differ."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from typing import Any

from lab.differential.following import Following, Step
from lab.differential.operations import DeclareQueue, Operation, Program
from lab.differential.real import RealSide
from lab.differential.script import Script
from lab.differential.sides import CONNECTION_OF
from patterns.amqp import Cancelled, Delivery

PATIENCE = 60.0
"""Seconds RabbitMQ may take until it shows what the model shows at once: a millisecond, or long on a busy machine."""

_programs = itertools.count(1)


class Different(AssertionError):
    """RabbitMQ did what the model does not allow; says what, and what was done before."""


class Endless(Exception):
    """RabbitMQ never comes to rest: there is nothing to compare."""


class Run:
    """One program."""

    def __init__(self, real: RealSide, patience: float = PATIENCE) -> None:
        self.real, self.patience = real, patience
        self.following = Following(real)
        self.script = Script(f"{real.prefix}{next(_programs)}.")
        self.steps: list[Step] = []
        self.seen: Counter[str] = Counter()  # operations by kind
        self.counted: Counter[str] = Counter()  # and what came of them

    def program(self, program: Program) -> None:
        """Do all of it, or what comes before letters that go in circles for ever.  Raises Different."""
        self.script.queues = len(program.queues) or 1
        declared = [DeclareQueue(0, number, shape) for number, shape in enumerate(program.queues)]
        try:
            for operation in (*program.exchanges, *declared, *program.operations):
                self.operation(operation)
        except Endless:
            self.counted["endless"] += 1
            self.steps.pop()
        finally:
            self.following.model.close()
            self.real.clear(self.script)

    def operation(self, operation: Operation) -> None:
        """Do one thing on RabbitMQ, and see whether the model allows what came of it."""
        calls = self.script.calls(operation)
        self.seen[type(operation).__name__] += 1
        step = Step(calls)
        self.steps.append(step)
        known = self.following.model.queues()
        step.outcomes = [self.real.perform(call) for call in calls]
        step.ended = self.real.mend()
        self._observe(step, known)
        sure = self.following.trail.taken.copy()
        difference = self.following.step(step)
        if difference and (difference := self.following.otherwise(self.steps, difference)):
            self._wait(step, known, difference, sure)
        for _ in range(1, self.following.model.transport.machine.deepest):
            if self._observe(step, known):  # a letter is in the next queue when the one before has answered: so for each
                self._wait(step, known, self._again(sure), sure)
        self._remember(step)

    def _observe(self, step: Step, known: dict[str, Any]) -> bool:
        """See what RabbitMQ shows now; whether that is more than before."""
        asked = {name: at for name, (_, _, at, _) in (known | self.following.model.queues()).items()}
        for call in step.calls:
            if call.name == "declare_queue" and call.args[0] not in asked:
                asked[call.args[0]] = CONNECTION_OF[call.client]
        before = dict(step.counts)
        step.counts = self.real.counts(asked)
        more = False
        for client in step.arrived:
            arrived = self.real.taken(client)
            step.arrived[client] += arrived
            more = more or bool(arrived)
        return more or before != step.counts

    def _wait(self, step: Step, known: dict[str, Any], difference: str, sure: list[tuple[int, int]]) -> None:
        """RabbitMQ may be late: look again, and again let the model follow, as long as there is patience."""
        self.counted["looked again"] += 1
        until = time.monotonic() + self.patience
        while difference:
            if self.following.endless:
                raise Endless
            if time.monotonic() > until:
                raise Different(self._story(difference))
            for client in {client for client, _ in self.script.consumers.values()}:
                self.real.catch_up(client)
            if self._observe(step, known):
                difference = self._again(sure)

    def _again(self, sure: list[tuple[int, int]]) -> str:
        """Let the model follow from the beginning, with no more ways taken than were sure; what differs."""
        self.following.trail.taken = sure.copy()
        difference = self.following.again(self.steps)
        return difference and self.following.otherwise(self.steps, difference)

    def _remember(self, step: Step) -> None:
        closed = {call.client for call in step.calls if call.name == "reopen"} | {
            client for call in step.calls if call.name == "reconnect"
            for client, at in enumerate(CONNECTION_OF) if at == CONNECTION_OF[call.client]
        }
        for client in closed.union(step.ended):
            self.script.ended(client)
        for client, items in step.arrived.items():
            self.script.arrived(client, items, self.real.named)
        for outcome, call in zip(step.outcomes, step.calls, strict=True):
            if isinstance(outcome, Delivery):
                self.script.arrived(call.client, [outcome], self.real.named)
        count(step, self.counted)
        machine = self.following.model.transport.machine
        self.script.there(machine.queues, machine.exchanges)

    def _story(self, difference: str) -> str:
        lines = [str(call) for step in self.steps for call in step.calls]
        return "\n".join([*lines, difference]).replace(self.script.prefix, "")


def count(step: Step, counted: Counter[str]) -> None:
    """Count what came of a step, so that nobody thinks much was tried when little was."""
    deliveries = [item for items in step.arrived.values() for item in items if isinstance(item, Delivery)]
    deliveries += [outcome for outcome in step.outcomes if isinstance(outcome, Delivery)]
    receipts = [receipt for outcome in step.outcomes if isinstance(outcome, list) for receipt in outcome]
    counted.update(type(outcome).__name__ for outcome in step.outcomes if isinstance(outcome, Exception))
    counted.update(receipt.value for receipt in receipts)
    counted["delivered"] += len(deliveries)
    counted["redelivered"] += sum(item.redelivered for item in deliveries)
    counted["dead letters"] += sum("x-death" in item.properties.headers for item in deliveries)
    counted["given back"] += sum(call.name in ("nack", "reject") and call.options["requeue"] for call in step.calls)
    counted["cancelled"] += sum(isinstance(item, Cancelled) for items in step.arrived.values() for item in items)

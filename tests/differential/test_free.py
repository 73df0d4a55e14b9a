"""Where RabbitMQ is free and nobody sees what it does, the model goes each way; and no way that is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.differential.following import Following
from lab.differential.operations import Consume, Get, Operation, Program, Publish, Said, Settle, Shape
from lab.differential.real import RealSide
from lab.differential.run import Run


def rejects(queue: int) -> tuple[Operation, ...]:
    return Get(queue=queue), Settle(how="reject", requeue=False)


ALL_DIE = Settle(nth=1, how="nack", multiple=True, requeue=False)
PROGRAMS = {
    "letters of a quorum queue and of a classic one come to a queue for one": Program(
        (Shape(quorum=True, dead_to=2), Shape(dead_to=2), Shape(max_length=1, rejects=True)),
        operations=(Publish(messages=(Said(1), Said(0))), Consume(queue=1), Consume(queue=0), ALL_DIE, Get(queue=2)),
    ),
    "a letter and what a client says come to a queue for one": Program(
        (Shape(ttl=0, dead_to=1), Shape(max_length=1, rejects=True)),
        operations=(Publish(messages=(Said(0), Said(1))), Get(queue=1)),
    ),
    "the same, and the oldest must go": Program(
        (Shape(ttl=0, dead_to=1), Shape(max_length=1)),
        operations=(Publish(messages=(Said(1), Said(0), Said(1))), Get(queue=1)),
    ),
    "given back to two consumers of a quorum queue": Program(
        (Shape(quorum=True, delivery_limit=1),),
        operations=(Publish(), Consume(), Publish(), Consume(), Publish(), Settle(nth=1, how="nack", multiple=True)),
    ),
    "three deaths": Program(
        (Shape(dead_to=1), Shape(dead_to=2), Shape(dead_to=3), Shape()),
        operations=(Publish(), *rejects(0), *rejects(1), *rejects(2), Get(queue=3)),
    ),
    "a reject in a circle of three": Program(
        (Shape(ttl=0, dead_to=1), Shape(dead_to=2), Shape(ttl=0, dead_to=0)),
        operations=(Publish(), *rejects(1), Get(queue=1)),
    ),
}


@pytest.mark.parametrize("program", [
    # RabbitMQ's quorum queue may send its letter after the look, which the programs cannot tell: not for every run.
    pytest.param(each, id=name, marks=[pytest.mark.whole] if name.startswith("letters of a quorum queue") else [])
    for name, each in PROGRAMS.items()
])
def test_what_rabbitmq_does_is_among_what_the_model_allows(real: RealSide, program: Program) -> None:
    for _ in range(5):
        Run(real).program(program)


def test_no_way_leads_to_what_cannot_be(real: RealSide) -> None:
    run = Run(real)
    run.program(Program(
        (Shape(ttl=0, dead_to=1), Shape(max_length=1, rejects=True)),
        operations=(Publish(messages=(Said(1),)), Publish(messages=(Said(0),)), Get(queue=1)),
    ))
    assert Following(real).allows(run.steps)
    [first] = run.steps[-1].outcomes
    run.steps[-1].outcomes = [replace(first, body=b"m2")]  # it came later than what filled the queue
    assert not Following(real).allows(run.steps)

"""Where RabbitMQ is free and nobody sees what it does, the model goes each way; and no way that is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.differential.following import Following
from lab.differential.operations import SHORT, Close, Consume, Get, Operation, Program, Publish, Said, Settle, Shape
from lab.differential.real import RealSide
from lab.differential.run import Run
from patterns.amqp import Delivery


def rejects(queue: int) -> tuple[Operation, ...]:
    return Get(queue=queue), Settle(how="reject", requeue=False)


ALL_DIE = Settle(nth=1, how="nack", multiple=True, requeue=False)
LATE = "letters of a quorum queue and of a classic one come to a queue for one"
TWO_HOLD_TWO_EACH = (Consume(), Consume(), *(Publish() for _ in range(4)))
PROGRAMS = {
    LATE: Program(
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
    "a letter and what expires come to one queue": Program(
        (Shape(), Shape(max_length=1, dead_to=0)),
        operations=(Publish(messages=(Said(1),)), Publish(messages=(Said(1), Said(0, expiration=SHORT)))),
    ),
    "given back to two consumers of a quorum queue": Program(
        (Shape(quorum=True, delivery_limit=1),),
        operations=(Publish(), Consume(), Publish(), Consume(), Publish(), Settle(nth=1, how="nack", multiple=True)),
    ),
    "two consumers' channel ends, and a third one gets what they held": Program(
        (Shape(quorum=True),), operations=(*TWO_HOLD_TWO_EACH, Settle(nth=-1), Consume(1)),
    ),
    "two consumers' channel ends, and what they held dies": Program(
        (Shape(quorum=True, delivery_limit=0, dead_to=1), Shape()),
        operations=(*TWO_HOLD_TWO_EACH, Close(), Consume(1, 1)),
    ),
    "two consumers' channel ends, and what they held is too much for the queue": Program(
        (Shape(quorum=True, max_length=2),), operations=(*TWO_HOLD_TWO_EACH, Close(), Get(), Get()),
    ),
    "what many gets held comes back": Program(
        (Shape(quorum=True),),
        operations=(*(Publish() for _ in range(12)), *(Get() for _ in range(12)), Close(), Consume(1)),
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
    pytest.param(each, id=name) for name, each in PROGRAMS.items()
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


def test_a_quorum_queues_letter_may_come_late_and_a_classic_queues_may_not(real: RealSide) -> None:
    run = Run(real)
    run.program(PROGRAMS[LATE])
    [first] = run.steps[-1].outcomes
    run.steps[-1].counts[first.queue] = 1, 0  # it was fetched, and then came the other one
    other_is_quorum = source_of_delivery(first).endswith("q1")
    assert Following(real).allows(run.steps) == other_is_quorum


def source_of_delivery(letter: Delivery) -> str:
    deaths: list[dict[str, str]] = letter.properties.headers["x-death"]
    return deaths[0]["queue"]

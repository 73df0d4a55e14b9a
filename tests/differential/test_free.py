"""Where RabbitMQ is free and nobody sees what it does, the model goes each way; and no way that is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.differential.following import Following
from lab.differential.operations import (
    SHORT,
    Bind,
    Close,
    Consume,
    DeclareExchange,
    Get,
    Operation,
    Program,
    Publish,
    Said,
    Settle,
    Shape,
)
from lab.differential.real import RealSide
from lab.differential.run import Run
from patterns.amqp import Delivery


def rejects(queue: int) -> tuple[Operation, ...]:
    return Get(queue=queue), Settle(how="reject", requeue=False)


ALL_DIE = Settle(nth=1, how="nack", multiple=True, requeue=False)
LATE = "letters of a quorum queue and of a classic one come to a queue for one"
CIRCLE = "what was rejected once is pushed out of a queue for one, and comes back in a circle"
TWICE = "one message comes to a queue twice, from its publisher and as a letter"
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
    "a letter and what a client says come to one queue, which is too short for what comes next": Program(
        (Shape(ttl=0, dead_to=1), Shape(max_length=3)),
        operations=(Publish(messages=(Said(1), Said(0), Said(1))), Publish(messages=(Said(1), Said(1))), Get(queue=1)),
    ),
    "a letter and what expires come to one queue, behind another one": Program(
        (Shape(), Shape(ttl=0, dead_to=0)),
        operations=(Publish(), Publish(messages=(Said(1), Said(0, expiration=0))), Get()),
    ),
    TWICE: Program(
        (Shape(), Shape(ttl=0, dead_to=0)), (DeclareExchange(kind="fanout"),),
        (Bind(queue=1), Bind(queue=0), Publish(messages=(Said(4),)), Get(), Get()),
    ),
    "a letter and what a client says come to a queue for one, and a consumer takes them all": Program(
        (Shape(max_length=1, rejects=True), Shape(ttl=0, dead_to=0)),
        operations=(Consume(), Publish(messages=(Said(0), Said(1), Said(0)))),
    ),
    CIRCLE: Program(
        (Shape(max_length=1, dead_to=1), Shape(ttl=0, max_length=1, dead_to=0)),
        operations=(Publish(), *rejects(0), Publish(messages=(Said(), Said())), Get()),
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
        run = Run(real)
        run.program(program)
        assert not run.counted["endless"]


def test_a_circle_is_judged_as_this_rabbitmq_does_and_no_other(real: RealSide, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(real)
    run.program(PROGRAMS[CIRCLE])
    assert Following(real).allows(run.steps)
    monkeypatch.setattr(real, "turns_deaths", not real.turns_deaths)
    assert not Following(real).allows(run.steps)


def test_no_way_leads_round_a_circle_before_what_pushed_the_letter_out(
    real: RealSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(real)
    run.program(PROGRAMS[CIRCLE])
    monkeypatch.setattr("lab.differential.following.WAYS", 10)  # there would be forty, each once more round
    assert Following(real).allows(run.steps)


def test_two_letters_that_push_each_other_out_for_ever_end_a_program(real: RealSide) -> None:
    if not real.turns_deaths:
        pytest.skip("RabbitMQ ends such circles since 4.0")
    run = Run(real)
    run.program(Program(
        PROGRAMS[CIRCLE].queues, operations=(Publish(), Get(), Publish(), Get(), Settle(how="reject", requeue=False),
                                             Settle(how="reject", requeue=False), Get()),
    ))
    assert run.counted["endless"] == 1
    assert [call.name for call in run.steps[-1].calls] == ["reject", "declare_exchange"]
    assert Following(real).allows(run.steps)


def test_either_copy_of_a_message_may_come_first(real: RealSide) -> None:
    run = Run(real)
    run.program(PROGRAMS[TWICE])
    [one], [two] = run.steps[-2].outcomes, run.steps[-1].outcomes
    run.steps[-2].outcomes, run.steps[-1].outcomes = [replace(two, tag=one.tag)], [replace(one, tag=two.tag)]
    assert Following(real).allows(run.steps)


def test_what_expired_at_the_head_of_a_quorum_queue_may_go_a_step_later(real: RealSide) -> None:
    run = Run(real)
    run.program(Program(
        (Shape(quorum=True), Shape(ttl=0, dead_to=0)),
        operations=(Publish(), Publish(messages=(Said(1), Said(0, expiration=0))), Get(), DeclareExchange()),
    ))
    name = run.steps[0].calls[0].args[0]
    run.steps[-2].counts[name], run.steps[-1].counts[name] = (2, 1), (1, 1)
    assert Following(real).allows(run.steps)


def test_what_goes_through_several_queues_is_asked_for_as_often(real: RealSide, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    counts = RealSide.counts
    monkeypatch.setattr(RealSide, "counts", lambda self, queues: asked.append(len(queues)) or counts(self, queues))
    run = Run(real)
    run.program(Program(
        (Shape(dead_to=1), Shape(ttl=0, dead_to=2), Shape(ttl=0, dead_to=3), Shape(max_length=1)),
        operations=(Publish(messages=(Said(3),)), Publish(), *rejects(0)),
    ))
    assert len(asked) == len(run.steps) + 3  # the letter died twice on its way, and pushed another one out


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

"""Programs of operations on RabbitMQ and on the embedded broker; a wrong broker is found out."""

from __future__ import annotations

import pytest
from hypothesis.strategies import SearchStrategy

from lab.differential.operations import Close, Consume, Get, Program, Publish, Said, Settle, Shape
from lab.differential.programs import anything, programs
from lab.differential.real import RealSide
from lab.differential.run import Different, Run
from lab.differential.search import Search, search
from lab.differential.text import as_text, program_of
from patterns.errors import SettingsError
from tests.differential.mutants import MUTANTS, SELDOM_FOUND, to_the_tail
from tests.differential.power import Mutant, found_after, needed


@pytest.fixture(scope="module")
def done(real: RealSide) -> Search:
    """One set of programs."""
    done = Search(kept=[])
    some_more(real, done, anything)
    return done


def some_more(real: RealSide, done: Search, sorts: SearchStrategy[Program] = programs) -> None:
    found = next(search(real, 1 + done.programs, done=done, sorts=sorts))
    assert found is None, f"{found.what}\n{found.again}"


def test_rabbitmq_does_what_the_model_allows(done: Search) -> None:
    assert done.seen["delivered"] and done.seen["redelivered"] and done.seen["dead letters"]


@pytest.mark.parametrize("mutant", [each for each in MUTANTS if each not in SELDOM_FOUND])
def test_a_wrong_broker_is_found_out(real: RealSide, done: Search, mutant: Mutant) -> None:
    assert found_after(real, mutant, done.kept or []) is not None


@pytest.mark.whole
def test_every_wrong_broker_is_found_out(real: RealSide, done: Search) -> None:
    found = needed(real, done, lambda: some_more(real, done))
    assert not [name for name, programs in found.items() if programs is None]


def test_a_difference_is_told_with_what_was_done_before(real: RealSide, monkeypatch: pytest.MonkeyPatch) -> None:
    to_the_tail(monkeypatch)
    program = Program(operations=(Publish(messages=(Said(), Said())), Get(), Close(), Get()))
    with pytest.raises(Different) as told:
        Run(real, 0.5).program(program)
    assert str(told.value).splitlines() == [
        "client 0: declare_queue('q0', durable=True, exclusive=False, auto_delete=False, "
        "arguments={'x-queue-type': 'classic'})",
        "client 0: publish(m1 to default/q0, m2 to default/q0)",
        "client 0: get('q0', auto_ack=False)",
        "client 0: reopen()",
        "client 0: get('q0', auto_ack=False)",
        "client 0: get('q0', auto_ack=False)",
        "  the model answers m2 from q0 to get",
        "  RabbitMQ answers  m1 from q0 to get redelivered",
    ]


def test_a_program_is_read_as_it_is_written() -> None:
    program = Program(
        (Shape(quorum=True, delivery_limit=0), Shape(dead_to=3)),
        operations=(Publish(2, (Said(1, expiration=0),)), Consume(prefetch=1), Settle(nth=-1)),
    )
    text = as_text(program)
    assert text == (
        "Program(queues=(Shape(quorum=True, delivery_limit=0), Shape(dead_to=3)), operations=(Publish(client=2, "
        "messages=(Said(to=1, expiration=0),)), Consume(prefetch=1), Settle(nth=-1)))"
    )
    assert program_of(text) == program


@pytest.mark.parametrize("text", ["", "Program(", "Shape()", "print()", "Program(queues=open('x'))", "Program(nothing=1)"])
def test_what_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        program_of(text)

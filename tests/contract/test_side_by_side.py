"""Random operations on the embedded broker and on RabbitMQ, side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from patterns.amqp import Transport
from patterns.broker import EmbeddedTransport
from patterns.connection import RabbitTransport
from tests.contract.side_by_side import Different, SideBySide
from tests.differential.mutants import (
    dropped_with_the_channel,
    every_binding_a_copy,
    multiple_is_one,
    never_redelivered,
    no_alternate,
    no_dead_letters,
    no_prefetch,
    to_the_tail,
)

pytestmark = pytest.mark.real
SEEDS = range(20)
MOVES = 40


def compare(real: Transport, seed: int, moves: int = MOVES) -> None:
    embedded = EmbeddedTransport()
    pair = SideBySide(embedded, real, seed)
    try:
        pair.run(moves)
    finally:
        pair.close()
        embedded.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_embedded_broker_does_what_rabbitmq_does(module_rabbitmq_url: str, seed: int) -> None:
    compare(RabbitTransport(module_rabbitmq_url), seed)


MUTANTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    to_the_tail, never_redelivered, no_prefetch, every_binding_a_copy, no_alternate, dropped_with_the_channel,
    multiple_is_one, no_dead_letters,
]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_broker_is_found_out(
    module_rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    monkeypatch.setattr("tests.contract.side_by_side.PATIENCE", 0.5)
    mutant(monkeypatch)
    real = RabbitTransport(module_rabbitmq_url)
    with pytest.raises(Different):
        for seed in range(1000, 1040):
            compare(real, seed)

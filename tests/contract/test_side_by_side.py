"""Random operations on the embedded broker and on RabbitMQ, side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from patterns.amqp import Transport
from patterns.broker import EmbeddedTransport
from patterns.broker.closing import Closing
from patterns.broker.exchanges import Exchange
from patterns.broker.hearing import Hearing
from patterns.broker.storing import Storing
from patterns.connection import RabbitTransport
from tests.contract.side_by_side import Different, SideBySide

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


def to_the_tail(broken: pytest.MonkeyPatch) -> None:
    """Requeue behind everything else."""
    broken.setattr("patterns.broker.storing.put_back", lambda queue, entries, **_: queue.ready.extend(entries))


def never_redelivered(broken: pytest.MonkeyPatch) -> None:
    """Forget that a message was seen before."""
    real = Storing.serve

    def serve(self: Storing, queue: object, *args: object, **options: object) -> None:
        for entry in queue.ready:  # type: ignore[attr-defined]
            entry.redelivered = False
        real(self, queue, *args, **options)  # type: ignore[arg-type]

    broken.setattr(Storing, "serve", serve)


def no_prefetch(broken: pytest.MonkeyPatch) -> None:
    """Deliver everything at once."""
    broken.setattr("patterns.broker.storing._has_room", lambda _: True)


def every_binding_a_copy(broken: pytest.MonkeyPatch) -> None:
    """Put a message into a queue once for each binding that matches."""
    broken.setattr("patterns.broker.exchanges._once", tuple)


def no_alternate(broken: pytest.MonkeyPatch) -> None:
    """Take no notice of alternate exchanges."""
    broken.setattr(Exchange, "alternate", None)


def dropped_with_the_channel(broken: pytest.MonkeyPatch) -> None:
    """Lose what a closed channel held."""
    real = Closing.drop_channels

    def drop(self: Closing, channels: list[object], now: float) -> None:
        for channel in channels:
            for _, queue, _ in channel.unacked.values():  # type: ignore[attr-defined]
                queue.unacked -= 1
            channel.unacked.clear()  # type: ignore[attr-defined]
        real(self, channels, now)  # type: ignore[arg-type]

    broken.setattr(Closing, "drop_channels", drop)


def multiple_is_one(broken: pytest.MonkeyPatch) -> None:
    """Settle one delivery where several are meant."""
    real = Hearing._settled
    broken.setattr(Hearing, "_settled", lambda self, channel, tag, _, now: real(self, channel, tag, False, now))


def no_dead_letters(broken: pytest.MonkeyPatch) -> None:
    """Drop what dies."""
    broken.setattr(Storing, "_move_dead", lambda *_: True)


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

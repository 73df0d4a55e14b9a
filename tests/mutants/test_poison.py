"""A message that can never be handled is parked, and its queue goes on; without the parking it is delivered for ever."""

from __future__ import annotations

import pytest

from lab.simulation.scheduler import BEGIN
from lab.simulation.world import World
from patterns.amqp import Outgoing, Properties
from patterns.settings import configure
from tests.mutants import patches_messages as messages

MINUTES = 2


def after_poison() -> tuple[int, int]:
    """What product's queue holds some minutes after it was sent something without a type, and how many are parked."""
    configure(retry_delays_seconds=(0.5, 1, 2))
    world = World(0)

    def poison() -> None:
        connection = world.broker.connect("stranger")
        letter = Outgoing("", "product.topic", b"{", Properties(message_id="poison"))
        connection.channel().publish([letter])
        connection.close()

    with world.entered():
        world.later(1.0, poison)
        world.scheduler.run(lambda: world.scheduler.now > BEGIN + 60 * MINUTES)
        depths = {name: ready + unacked for name, (ready, unacked, _) in world.broker.queues().items()}
    return depths["product.topic"], depths["product.parked"]


def test_poison_is_parked() -> None:
    assert after_poison() == (0, 1)


def test_without_parking_it_stays_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    messages.poison_for_ever(monkeypatch)
    assert after_poison() == (1, 0)

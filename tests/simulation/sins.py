"""Defences taken away, for tests that want to see what happens then."""

from __future__ import annotations

import pytest

from patterns.amqp import Channel, Delivery
from patterns.listener import Listener


def ack_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is acknowledged is the consumer's alone, and dies with it."""

    def work(self: Listener, channel: Channel, deliveries: list[Delivery]) -> None:
        channel.ack(max(delivery.tag or 0 for delivery in deliveries), multiple=True)
        self.handle(deliveries)

    monkeypatch.setattr(Listener, "_work", work)

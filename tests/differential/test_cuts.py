"""Connections cut at chosen bytes: what the publisher is told is true, and every effect comes once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from lab.differential.cuts import Cuts, Untrue
from lab.servers import PrivateRabbitMQ
from patterns.amqp import Receipt
from patterns.connection_channel import RabbitChannel

MOST = 60
"""Episodes in which a publisher or a reader that errs must be found."""


@pytest.fixture
def cuts(private_rabbitmq: PrivateRabbitMQ) -> Iterator[Cuts]:
    made = Cuts(private_rabbitmq, 1)
    yield made
    made.close()


def test_what_is_told_is_true_and_effects_come_once(cuts: Cuts) -> None:
    while cuts.happened.total() < 8:
        cuts.episode()
    assert cuts.seen["confirmed"] or cuts.seen["unknown, stored"] or cuts.seen["unknown, not stored"]


def test_a_publisher_that_takes_silence_for_a_yes_is_found_out(cuts: Cuts, monkeypatch: pytest.MonkeyPatch) -> None:
    real = RabbitChannel.publish
    monkeypatch.setattr(RabbitChannel, "publish", lambda *args: [
        Receipt.CONFIRMED if receipt is Receipt.UNKNOWN else receipt for receipt in real(*args)])
    with pytest.raises(Untrue, match="a message was confirmed, and there are 0 of it"):
        for _ in range(MOST):
            cuts.episode()


def test_a_reader_without_an_inbox_is_found_out(cuts: Cuts, monkeypatch: pytest.MonkeyPatch) -> None:
    def note(_: Any, ids: Sequence[Any]) -> Sequence[Any]:
        return ids

    monkeypatch.setattr("lab.differential.cuts._note", note)
    with pytest.raises(Untrue, match="effects that did not come once"):
        for _ in range(MOST):
            cuts.episode()

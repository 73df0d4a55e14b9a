"""Connections cut at chosen bytes: what the publisher is told is true, and every effect comes once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from lab.differential.cuts import ORDER, PATIENCE, QUEUE, Cuts, Untrue, _messages
from lab.servers import PrivateRabbitMQ
from patterns.amqp import Receipt
from patterns.connection_channel import RabbitChannel
from patterns.errors import BrokerUnavailable

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


def test_it_is_noticed_only_when_what_the_connection_held_is_back(
    cuts: Cuts, private_rabbitmq: PrivateRabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts.channel.publish(_messages([ORDER]))
    reader = cuts.through.connect("slow to die").channel()
    reader.consume(QUEUE)
    assert reader.take(1, PATIENCE)
    with _held_up(private_rabbitmq):
        cuts.proxy.cut_after(0, "server")
        reader.ack(1)
        with monkeypatch.context() as hurried, pytest.raises(BrokerUnavailable, match="does not notice"):
            hurried.setattr("lab.differential.cuts.PATIENCE", 1.0)
            cuts._until_it_noticed()
        assert private_rabbitmq.eval("length(rabbit_networking:local_connections()).") == "1"
        assert cuts.channel.declare_queue(QUEUE, passive=True).messages == 0
    cuts._until_it_noticed()
    assert cuts.channel.declare_queue(QUEUE, passive=True).messages == 1


@contextmanager
def _held_up(server: PrivateRabbitMQ) -> Iterator[None]:
    """Hold up the channel that has something unacknowledged: it cannot end."""
    holders = "[C || C <- rabbit_channel:list_local(), rabbit_channel:info(C, [messages_unacknowledged]) =/= " \
        "[{messages_unacknowledged, 0}]]"
    assert server.eval(f"put(held, {holders}), [erlang:suspend_process(C) || C <- get(held)].") == "[true]"
    try:
        yield
    finally:
        server.eval("[erlang:resume_process(C) || C <- get(held)].")

from __future__ import annotations

import pytest

from tests.unit.broker.bench import Bench, refused

BOTH = pytest.mark.parametrize("kind", ["classic", "quorum"])


@BOTH
def test_a_message_lives_as_long_as_its_queue_lets_it(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind, message_ttl=1000)
    bench.publish("q", "a")
    bench.later(0.5)
    bench.publish("q", "b")
    bench.later(0.499)
    assert bench.ready("q") == ["a", "b"]
    bench.later(0.001)
    assert bench.ready("q") == ["b"]
    bench.later(1)
    assert bench.ready("q") == []
    assert bench.machine.next_expiry() is None


@pytest.mark.parametrize(("own", "queue", "lives"), [("500", 1000, 0.5), ("2000", 1000, 1.0), ("1500", None, 1.5)])
def test_the_shorter_life_counts(bench: Bench, own: str, queue: int | None, lives: float) -> None:
    bench.queue("q", **({} if queue is None else {"message_ttl": queue}))
    bench.publish("q", expiration=own)
    assert bench.machine.next_expiry() == lives


@BOTH
def test_only_the_head_of_a_queue_expires(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind)
    bench.publish("q", "lasts")
    bench.publish("q", "short", expiration="100")
    bench.later(1)
    assert bench.ready("q") == ["lasts", "short"]
    bench.consume("q", prefetch=1)
    assert bench.bodies() == ["lasts"]
    bench.machine.advance(bench.now)
    assert bench.ready("q") == []


def test_what_stands_behind_a_lasting_head_expires_once_it_is_the_head(bench: Bench) -> None:
    bench.queue("q")
    bench.publish("q", "lasts")
    bench.publish("q", "short", expiration="1000")
    assert bench.machine.next_expiry() is None
    bench.machine.get(bench.channel, "q", 0.0)
    assert bench.machine.next_expiry() == 1.0


def test_an_expired_message_is_never_delivered(bench: Bench) -> None:
    bench.queue("q")
    bench.publish("q", "late", expiration="100")
    bench.publish("q", "fine", expiration="900")
    bench.now = 0.5  # time passed, and nobody told the machine
    fetched = bench.machine.get(bench.channel, "q", bench.now)
    assert fetched is not None
    assert fetched.message.body == b"fine"
    bench.publish("q", "late", expiration="100")
    bench.now = 0.7
    bench.consume("q")
    assert bench.bodies() == []


@BOTH
def test_no_time_to_live_means_now_or_never(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind)
    bench.publish("q", "never", expiration="0")
    assert bench.ready("q") == []
    bench.consume("q")
    bench.publish("q", "now", expiration="0")
    assert bench.bodies() == ["now"]


def test_a_message_in_flight_does_not_expire_but_a_returned_one_does(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", dead_letter_exchange="", dead_letter_routing_key="dead")
    bench.publish("q", expiration="100")
    bench.machine.get(bench.channel, "q", 0.0)
    bench.later(1)
    assert bench.ready("dead") == []
    bench.nack(1)
    assert bench.ready("dead") == ["m"]
    death = bench.headers("dead")["x-death"][0]
    assert (death["reason"], death["original-expiration"]) == ("expired", "100")
    assert bench.machine.queues["dead"].ready[0].message.properties.expiration is None


@pytest.mark.parametrize("expiration", ["", "soon", "-1", "1.5", " 1", "315360000001", "١"])
def test_an_expiration_that_is_no_number_of_milliseconds_is_refused(bench: Bench, expiration: str) -> None:
    with refused(406, "invalid expiration"):
        bench.publish("q", expiration=expiration)


@BOTH
def test_a_delay_queue_sends_messages_on_in_order(bench: Bench, kind: str) -> None:
    bench.queue("q")
    bench.queue("delay", kind=kind, message_ttl=1000, dead_letter_exchange="", dead_letter_routing_key="q")
    bench.consume("q")
    for body in "abc":
        bench.publish("delay", body)
        bench.later(0.1)
    bench.later(0.7)
    assert bench.bodies() == ["a"]
    bench.later(5)
    assert bench.bodies() == ["b", "c"]


def test_an_unused_queue_expires(bench: Bench) -> None:
    bench.queue("q", expires=1000)
    tag = bench.consume("q")
    bench.later(5)
    assert "q" in bench.machine.queues
    bench.machine.cancel(bench.channel, tag, bench.now)
    bench.later(0.9)
    bench.queue("q", expires=1000)  # asked for again: in use
    bench.later(0.9)
    bench.machine.get(bench.channel, "q", bench.now)  # likewise
    bench.later(0.9)
    assert "q" in bench.machine.queues
    bench.later(0.1)
    assert "q" not in bench.machine.queues


def test_nothing_that_expires_means_nothing_to_wait_for(bench: Bench) -> None:
    bench.queue("q")
    bench.publish("q")
    assert bench.machine.next_expiry() is None


def test_lives_go_on_after_a_restart(bench: Bench) -> None:
    bench.queue("q", kind="quorum", message_ttl=1000)
    bench.publish("q")
    bench.later(0.4)
    bench.restart()
    assert bench.machine.next_expiry() == 1.0
    bench.later(0.6)
    assert bench.ready("q") == []

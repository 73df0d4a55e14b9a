from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from patterns.broker.data import Message
from tests.unit.broker.bench import Bench

TO_DEAD: dict[str, Any] = {"dead_letter_exchange": "", "dead_letter_routing_key": "dead"}
BOTH = pytest.mark.parametrize("kind", ["classic", "quorum"])


def reject_one(bench: Bench, queue: str) -> None:
    fetched = bench.machine.get(bench.channel, queue, bench.now)
    assert fetched is not None
    bench.machine.reject(bench.channel, fetched.tag or 0, bench.now)


@BOTH
def test_a_rejected_message_tells_its_death(bench: Bench, kind: str) -> None:
    bench.now = 1700000000.5
    bench.queue("dead")
    bench.queue("q", kind=kind, **TO_DEAD)
    bench.exchange("x", "topic")
    bench.bind("q", "x", "order.*")
    bench.publish("order.placed", "m", "x", headers={"mine": 1}, message_id="id")
    reject_one(bench, "q")
    [entry] = bench.machine.queues["dead"].ready
    assert (entry.message.exchange, entry.message.routing_key, entry.redelivered) == ("", "dead", False)
    assert entry.message.properties.message_id == "id"
    assert bench.headers("dead") == {
        "mine": 1,
        "x-death": [{
            "count": 1, "reason": "rejected", "queue": "q", "time": datetime.fromtimestamp(1700000000, UTC),
            "exchange": "x", "routing-keys": ["order.placed"],
        }],
        "x-first-death-reason": "rejected", "x-first-death-queue": "q", "x-first-death-exchange": "x",
    }


@BOTH
def test_deaths_are_counted_by_queue_and_reason_the_latest_first(bench: Bench, kind: str) -> None:
    bench.queue("dead", dead_letter_exchange="", dead_letter_routing_key="q")
    bench.queue("q", kind=kind, message_ttl=1000, **TO_DEAD)
    bench.publish("q")
    for death in ("expire", "reject", "expire"):
        bench.later(1) if death == "expire" else reject_one(bench, "q")
        assert len(bench.ready("dead")) == 1, death
        assert bench.headers("dead")["x-first-death-reason"] == "expired"
        if death != "expire" or bench.now < 2:
            reject_one(bench, "dead")
    deaths = [(each["queue"], each["reason"], each["count"]) for each in bench.headers("dead")["x-death"]]
    assert deaths == [("q", "expired", 2), ("dead", "rejected", 2), ("q", "rejected", 1)]


@BOTH
def test_without_a_routing_key_of_its_own_the_message_keeps_its_key(bench: Bench, kind: str) -> None:
    bench.exchange("dlx", "direct")
    bench.queue("dead")
    bench.bind("dead", "dlx", "q")
    bench.queue("q", kind=kind, dead_letter_exchange="dlx")
    bench.publish("q")
    reject_one(bench, "q")
    assert bench.machine.queues["dead"].ready[0].message.routing_key == "q"


def test_dead_letters_reach_every_queue_bound(bench: Bench) -> None:
    bench.exchange("dlx", "fanout")
    for name in ("one", "two"):
        bench.queue(name)
        bench.bind(name, "dlx")
    bench.queue("q", dead_letter_exchange="dlx")
    bench.publish("q")
    reject_one(bench, "q")
    assert bench.ready("one") == bench.ready("two") == ["m"]


@pytest.mark.parametrize("exchange", ["nowhere", "amq.direct"])
def test_a_dead_letter_without_address_is_dropped(bench: Bench, exchange: str) -> None:
    bench.queue("q", dead_letter_exchange=exchange)
    bench.publish("q")
    reject_one(bench, "q")
    assert bench.ready("q") == []
    assert bench.machine.stuck == {}


def at_least_once(**more: Any) -> dict[str, Any]:
    return {"kind": "quorum", "dead_letter_strategy": "at-least-once", "overflow": "reject-publish", **TO_DEAD, **more}


def test_at_least_once_keeps_a_dead_letter_until_it_has_somewhere_to_go(bench: Bench) -> None:
    bench.queue("q", **at_least_once())
    bench.publish("q")
    reject_one(bench, "q")
    assert bench.ready("q") == []
    bench.queue("dead")
    assert bench.ready("dead") == ["m"]
    assert bench.machine.stuck == {}


def test_at_least_once_waits_for_a_full_queue(bench: Bench) -> None:
    bench.queue("dead", max_length=1, overflow="reject-publish")
    bench.queue("q", **at_least_once())
    for body in "ab":
        bench.publish("q", body)
        reject_one(bench, "q")
    assert bench.ready("dead") == ["a"]
    bench.machine.purge(bench.channel, "dead", bench.now)
    bench.machine.advance(bench.now)
    assert bench.ready("dead") == ["b"]


def test_at_least_once_looks_for_a_new_binding_too(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", **at_least_once(dead_letter_exchange="amq.direct"))
    bench.publish("q")
    reject_one(bench, "q")
    bench.bind("dead", "amq.direct", "dead")
    assert bench.ready("dead") == ["m"]


def test_at_least_once_goes_to_all_queues_or_to_none_yet(bench: Bench) -> None:
    for name, length in (("roomy", 9), ("full", 0)):
        bench.queue(name, max_length=length, overflow="reject-publish")
        bench.bind(name, "amq.fanout")
    bench.queue("q", **at_least_once(dead_letter_exchange="amq.fanout"))
    bench.publish("q")
    reject_one(bench, "q")
    assert bench.ready("roomy") == []
    bench.machine.delete_queue(bench.channel, "full", 0.0)
    bench.machine.advance(bench.now)
    assert bench.ready("roomy") == ["m"]


def test_at_least_once_dead_letters_survive_a_restart(bench: Bench) -> None:
    bench.queue("q", **at_least_once())
    bench.publish("q")
    reject_one(bench, "q")
    bench.restart()
    assert bench.ready("q") == ["m"]


def test_the_delivery_limit_ends_a_poison_loop(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", kind="quorum", delivery_limit=2, **TO_DEAD)
    bench.publish("q")
    bench.consume("q")
    seen = []
    for _ in range(3):
        [delivery] = bench.deliveries()
        seen.append((delivery.returns, delivery.redelivered))
        bench.nack(delivery.tag)
    assert seen == [(0, False), (1, True), (2, True)]
    assert bench.deliveries() == []
    assert bench.headers("dead")["x-first-death-reason"] == "delivery_limit"


def test_a_message_given_up_makes_room_for_the_next(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", kind="quorum", delivery_limit=0, **TO_DEAD)
    bench.publish("q", "poison")
    bench.publish("q", "next")
    bench.consume("q", prefetch=1)
    bench.nack(1)
    assert bench.bodies() == ["poison", "next"]


def test_losing_connections_counts_toward_the_limit(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", kind="quorum", delivery_limit=2, **TO_DEAD)
    bench.publish("q")
    for _ in range(3):
        connection = bench.machine.connect("crashing")
        bench.consume("q", channel=bench.machine.open_channel(connection))
        bench.machine.disconnect(connection, bench.now)
    assert bench.ready("dead") == ["m"]


@BOTH
def test_the_oldest_makes_room(bench: Bench, kind: str) -> None:
    bench.queue("dead")
    bench.queue("q", kind=kind, max_length=2, **TO_DEAD)
    assert [bench.publish("q", body) for body in "abcd"] == ["stored"] * 4
    assert (bench.ready("q"), bench.ready("dead")) == (["c", "d"], ["a", "b"])
    assert bench.headers("dead")["x-first-death-reason"] == "maxlen"


def test_a_requeue_can_push_the_oldest_out(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", max_length=2, **TO_DEAD)
    for body in "ab":
        bench.publish("q", body)
        bench.machine.get(bench.channel, "q", 0.0)
    for body in "cde":
        bench.publish("q", body)
    bench.nack(2, multiple=True)
    assert (bench.ready("q"), bench.ready("dead")) == (["d", "e"], ["c", "a", "b"])


def test_a_full_quorum_queue_hands_out_before_it_drops(bench: Bench) -> None:
    bench.queue("q", kind="quorum", max_length=1)
    bench.consume("q", prefetch=1)
    for body in "ab":
        bench.publish("q", body)
    bench.nack(1)  # to the end; b is delivered, a stays
    assert bench.bodies() == ["a", "b"]
    assert bench.ready("q") == ["a"]


@BOTH
def test_a_full_queue_may_refuse_instead(bench: Bench, kind: str) -> None:
    bench.queue("q", kind=kind, max_length=2, overflow="reject-publish")
    assert [bench.publish("q", body) for body in "abc"] == ["stored", "stored", "refused"]
    assert bench.ready("q") == ["a", "b"]


def test_a_refusal_by_one_queue_is_told_though_another_took_it(bench: Bench) -> None:
    bench.queue("full", max_length=0, overflow="reject-publish")
    bench.queue("free")
    for name in ("full", "free"):
        bench.bind(name, "amq.fanout")
    assert bench.publish("", "m", "amq.fanout") == "refused"
    assert bench.ready("free") == ["m"]


def test_a_queue_without_room_still_hands_on_to_a_waiting_consumer(bench: Bench) -> None:
    bench.queue("q", max_length=0)
    bench.publish("q", "lost")
    bench.consume("q")
    bench.publish("q", "handed on")
    assert bench.bodies() == ["handed on"]


def test_an_automatic_circle_is_broken(bench: Bench) -> None:
    bench.queue("a", message_ttl=1000, dead_letter_exchange="", dead_letter_routing_key="b")
    bench.queue("b", message_ttl=1000, dead_letter_exchange="", dead_letter_routing_key="a")
    bench.publish("a")
    bench.later(1)
    assert bench.ready("b") == ["m"]
    bench.later(1)
    assert (bench.ready("a"), bench.ready("b")) == ([], [])


def test_a_circle_with_a_reject_in_it_goes_on(bench: Bench) -> None:
    bench.queue("retry", message_ttl=1000, dead_letter_exchange="", dead_letter_routing_key="q")
    bench.queue("q", dead_letter_exchange="", dead_letter_routing_key="retry")
    bench.publish("q")
    for times in range(1, 4):
        reject_one(bench, "q")
        bench.later(1)
        assert bench.ready("q") == ["m"]
        assert {death["count"] for death in bench.headers("q")["x-death"]} == {times}


@pytest.mark.parametrize("nonsense", [5, "x", [5], [{}], [{"queue": 7, "count": "many"}], None])
def test_a_clients_own_idea_of_x_death_does_no_harm(bench: Bench, nonsense: Any) -> None:
    bench.queue("dead")
    bench.queue("q", **TO_DEAD)
    bench.publish("q", headers={"x-death": nonsense})
    reject_one(bench, "q")
    assert bench.headers("dead")["x-death"][0]["reason"] == "rejected"


def test_what_is_rejected_after_its_queue_was_deleted_dies_in_silence(bench: Bench) -> None:
    bench.queue("dead")
    bench.queue("q", **TO_DEAD)
    bench.publish("q")
    bench.consume("q")
    bench.machine.delete_queue(bench.channel, "q", 0.0)
    bench.nack(1, requeue=False)
    assert bench.ready("dead") == []


def test_a_dead_letter_leaves_the_original_message_alone(bench: Bench) -> None:
    bench.exchange("x", "fanout")
    bench.queue("dead")
    bench.queue("q", **TO_DEAD)
    bench.queue("other")
    for name in ("q", "other"):
        bench.bind(name, "x")
    bench.publish("", "m", "x", headers={"mine": 1})
    original: Message = bench.machine.queues["other"].ready[0].message
    reject_one(bench, "q")
    assert original.properties.headers == {"mine": 1}

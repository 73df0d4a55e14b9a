"""Messages that expire, are refused, come back too often or find no room, and where they go then."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from patterns.amqp import Delivery, Receipt
from tests.contract.client import SHORT_LIFE, SOON, Client, closes, tag

TEN_YEARS = 10 * 365 * 24 * 3600 * 1000


def dying(client: Client, kind: str, **arguments: Any) -> tuple[str, str]:
    """A queue whose dead letters go to another one; answers both names."""
    dead = client.queue()
    return client.queue(kind, dead_letter_exchange="", dead_letter_routing_key=dead, **arguments), dead


def reject(client: Client, queue: str, *, requeue: bool = False) -> Delivery:
    found = client.get(queue)
    client.channel.reject(tag(found), requeue=requeue)
    return found


def deaths(delivery: Delivery) -> list[tuple[str, str, int]]:
    return [(each["queue"], each["reason"], each["count"]) for each in delivery.properties.headers["x-death"]]


# --- a time to live


def test_a_queues_messages_expire(client: Client, kind: str) -> None:
    queue = client.queue(kind, message_ttl=SHORT_LIFE)
    client.said(queue, "a", "b")
    client.until_count(queue, 0)
    assert client.channel.get(queue) is None


def test_a_message_expires_by_its_own_time(client: Client, kind: str) -> None:
    queue, dead = dying(client, kind)
    client.said(queue, "m", expiration=str(SHORT_LIFE))
    found = client.get(dead)
    assert (found.body, found.properties.expiration) == (b"m", None)
    [death] = found.properties.headers["x-death"]
    assert (death["reason"], death["original-expiration"]) == ("expired", str(SHORT_LIFE))


@pytest.mark.parametrize(("own", "queues"), [(SHORT_LIFE, 600_000), (600_000, SHORT_LIFE)])
def test_the_shorter_time_counts(client: Client, kind: str, own: int, queues: int) -> None:
    queue, dead = dying(client, kind, message_ttl=queues)
    client.said(queue, "m", expiration=str(own))
    assert client.get(dead).body == b"m"


def test_it_takes_the_time_it_is_given(client: Client, kind: str) -> None:
    queue, dead = dying(client, kind, message_ttl=300)
    began = time.monotonic()
    client.said(queue, "m")
    client.get(dead)
    assert time.monotonic() - began >= 0.29  # the brokers' clocks count whole milliseconds


def test_only_the_head_of_a_queue_expires(client: Client, kind: str) -> None:
    queue, dead = dying(client, kind)
    client.said(queue, "lasts")
    client.said(queue, "expired", expiration="1")
    witness, after = dying(client, kind, message_ttl=SHORT_LIFE)
    client.said(witness, "later")
    client.get(after)  # so much time has passed
    assert client.channel.get(dead) is None
    client.channel.ack(tag(client.get(queue)))
    assert client.get(dead).body == b"expired"


def test_with_no_time_to_live_it_arrives_only_if_somebody_waits(client: Client, other: Client) -> None:
    queue, dead = dying(client, "classic", message_ttl=0)
    client.said(queue, "nobody there")
    assert client.get(dead).body == b"nobody there"
    other.channel.consume(queue)
    client.said(queue, "somebody there")
    assert other.heard(1) == ["somebody there"]


@pytest.mark.parametrize("expiration", ["0600000", "+600000", str(TEN_YEARS)])
def test_a_time_may_be_ten_years(client: Client, kind: str, expiration: str) -> None:
    queue = client.queue(kind, message_ttl=TEN_YEARS)
    client.said(queue, "m", expiration=expiration)
    assert client.drain(queue) == ["m"]


@pytest.mark.parametrize("expiration", ["soon", "", "-1", "1.5", str(TEN_YEARS + 1)])
def test_a_time_that_makes_no_sense_closes_the_channel(client: Client, expiration: str) -> None:
    queue = client.queue()
    assert client.say(queue, "m", expiration=expiration) == [Receipt.UNKNOWN]
    with closes(client, 406):
        client.channel.take(1, SOON)


def test_a_retry_queue_sends_back_what_waited_in_it(client: Client, kind: str) -> None:
    main = client.queue(kind)
    waiting = client.queue(kind, message_ttl=SHORT_LIFE, dead_letter_exchange="", dead_letter_routing_key=main)
    client.said(waiting, "again", headers={"attempt": 1})
    found = client.get(main)
    assert (found.body, found.redelivered, found.properties.headers["attempt"]) == (b"again", False, 1)
    assert deaths(found) == [(waiting, "expired", 1)]


# --- dead letters


def test_a_rejected_message_tells_its_death(client: Client, kind: str) -> None:
    exchange, dead = client.exchange("topic"), client.queue()
    queue = client.queue(kind, dead_letter_exchange="", dead_letter_routing_key=dead)
    client.channel.bind(queue, exchange, "order.*")
    before = datetime.now(UTC).replace(microsecond=0)
    client.said("order.placed", "m", exchange=exchange, message_id="7", headers={"mine": 1})
    reject(client, queue)
    found = client.get(dead)
    headers = found.properties.headers
    [death] = headers["x-death"]
    assert before <= death["time"] <= datetime.now(UTC)
    assert {name: value for name, value in death.items() if name != "time"} == {
        "count": 1, "reason": "rejected", "queue": queue, "exchange": exchange, "routing-keys": ["order.placed"]
    }
    assert (headers["mine"], found.properties.message_id, found.redelivered) == (1, "7", False)
    assert (found.exchange, found.routing_key, found.properties.expiration) == ("", dead, None)
    firsts = [headers[f"x-first-death-{what}"] for what in ("queue", "reason", "exchange")]
    assert firsts == [queue, "rejected", exchange]


@pytest.mark.parametrize("how", ["reject", "nack", "nack multiple"])
def test_each_way_to_refuse_leads_to_the_dead_letters(client: Client, kind: str, how: str) -> None:
    queue, dead = dying(client, kind)
    client.said(queue, "a", "b")
    first, second = client.get(queue), client.get(queue)
    if how == "nack multiple":
        client.channel.nack(tag(second), multiple=True, requeue=False)
    else:
        for found in (first, second):
            getattr(client.channel, how)(tag(found), requeue=False)
    assert {client.get(dead).body, client.get(dead).body} == {b"a", b"b"}


def test_what_is_rejected_dies_before_what_expires_then(client: Client, kind: str) -> None:
    queue, dead = dying(client, kind)
    client.said(queue, "rejected", "next")
    client.said(queue, "expired", expiration="0")
    client.channel.qos(1)
    client.channel.consume(queue)
    [first] = client.hear(1)
    client.channel.nack(tag(first), requeue=False)
    assert client.heard(1) == ["next"]
    client.until_count(dead, 2)
    assert client.drain(dead) == ["rejected", "expired"]


def test_a_full_queue_has_room_for_its_own_dead_letter_when_the_next_is_handed_out(client: Client) -> None:
    queue = client.fresh("own")
    client.channel.declare_queue(queue, arguments={
        "x-max-length": 1, "x-overflow": "reject-publish", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue})
    client.channel.qos(1)
    client.channel.consume(queue)
    client.said(queue, "rejected")
    client.said(queue, "next")
    [first] = client.hear(1)
    client.channel.nack(tag(first), requeue=False)
    assert client.heard(1) == ["next"]
    client.until_count(queue, 1)


def test_without_a_key_of_its_own_a_dead_letter_keeps_its_key(client: Client, kind: str) -> None:
    exchange, dead, elsewhere = client.exchange("direct"), client.queue(), client.queue()
    queue = client.queue(kind, dead_letter_exchange=exchange)
    client.channel.bind(dead, exchange, queue)  # published through the default exchange: the key is the queue's name
    client.channel.bind(elsewhere, exchange, "elsewhere")
    client.said(queue, "m")
    reject(client, queue)
    found = client.get(dead)
    assert (found.exchange, found.routing_key) == (exchange, queue)
    assert client.channel.get(elsewhere) is None


def test_a_dead_letter_with_nowhere_to_go_is_gone(client: Client, kind: str) -> None:
    lost = client.queue(kind, dead_letter_exchange=client.fresh("no exchange"))
    client.said(lost, "m")
    reject(client, lost)
    unbound = client.queue(kind, dead_letter_exchange=client.exchange("fanout"))
    client.said(unbound, "m")
    reject(client, unbound)
    for queue in (lost, unbound):
        assert client.channel.get(queue) is None
    client.channel.qos(1)  # the channel lives


@pytest.mark.parametrize("reason", ["rejected", "expired", "delivery_limit"])
def test_dead_letters_that_may_not_be_lost_arrive_too(client: Client, reason: str) -> None:
    ttl = {"message_ttl": SHORT_LIFE} if reason == "expired" else {}
    queue, dead = dying(
        client, "quorum", overflow="reject-publish", dead_letter_strategy="at-least-once", delivery_limit=1, **ttl
    )
    client.said(queue, "m")
    for _ in range({"rejected": 1, "delivery_limit": 2}.get(reason, 0)):
        reject(client, queue, requeue=reason != "rejected")
    assert deaths(client.get(dead)) == [(queue, reason, 1)]
    client.until_count(queue, 0)


def test_deaths_are_counted_by_queue_and_reason(client: Client, kind: str) -> None:
    main = client.fresh("main")
    waiting = client.queue(kind, message_ttl=1, dead_letter_exchange="", dead_letter_routing_key=main)
    client.channel.declare_queue(main, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": waiting})
    client.said(main, "m")
    for _ in range(3):
        reject(client, main)  # and it comes back, by way of the waiting queue
    found = client.get(main)
    assert deaths(found) == [(waiting, "expired", 3), (main, "rejected", 3)]
    headers = found.properties.headers
    assert (headers["x-first-death-queue"], headers["x-first-death-reason"]) == (main, "rejected")
    client.channel.delete_queue(main)


def test_the_latest_death_comes_first(client: Client, kind: str) -> None:
    last = client.queue()
    third = client.queue(kind, dead_letter_exchange="", dead_letter_routing_key=last)
    second = client.queue(kind, dead_letter_exchange="", dead_letter_routing_key=third)
    first = client.queue(kind, dead_letter_exchange="", dead_letter_routing_key=second)
    client.said(first, "m")
    for queue in (first, second, third):
        reject(client, queue)
    latest, *earlier = [queue for queue, _, _ in deaths(client.get(last))]
    assert latest == third
    assert sorted(earlier) == sorted([first, second])  # RabbitMQ 3.10 turns the earlier ones round with each death


def test_a_circle_nobody_breaks_is_ended(client: Client, kind: str) -> None:
    one = client.fresh("circle")
    two = client.queue(kind, message_ttl=1, dead_letter_exchange="", dead_letter_routing_key=one)
    arguments = {"x-message-ttl": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": two}
    client.channel.declare_queue(one, arguments=arguments)
    exchange, witness = client.exchange("fanout"), client.queue()
    client.channel.bind(one, exchange)
    client.said("", "m", exchange=exchange)
    client.until_count(one, 0)
    client.until_count(two, 0)
    after, later = dying(client, "classic", message_ttl=SHORT_LIFE)
    client.said(after, "m")
    client.get(later)  # time enough for another round, if there were one
    assert (client.count(one), client.count(two), client.count(witness)) == (0, 0, 0)
    client.channel.delete_queue(one)


# --- coming back too often


@pytest.mark.parametrize("how", ["reject", "nack"])
def test_a_quorum_queue_gives_up_after_its_delivery_limit(client: Client, how: str) -> None:
    # Since RabbitMQ 4.3 nack does not count any more; only reject does.  Orderflow rejects.
    queue, dead = dying(client, "quorum", delivery_limit=3)
    client.said(queue, "poison")
    client.channel.qos(1)
    consumer = client.channel.consume(queue)
    counts = []
    for _ in range(4):
        [found] = client.hear(1)
        counts.append(found.properties.headers.get("x-delivery-count", 0))
        assert found.redelivered == (len(counts) > 1)
        getattr(client.channel, how)(tag(found), requeue=True)
    assert counts == [0, 1, 2, 3]
    found = client.get(dead)
    assert deaths(found) == [(queue, "delivery_limit", 1)]
    assert client.rest(queue) == []
    client.channel.cancel(consumer)


def test_a_lost_consumer_counts_as_a_delivery(client: Client, other: Client) -> None:
    queue, dead = dying(client, "quorum", delivery_limit=1)
    client.said(queue, "poison")
    for _ in range(2):
        other.get(queue)
        other.channel.close()
        other.again()
    assert deaths(client.get(dead)) == [(queue, "delivery_limit", 1)]


def test_without_dead_letters_the_limit_ends_it(client: Client) -> None:
    queue = client.queue("quorum", delivery_limit=1)
    client.said(queue, "poison")
    for _ in range(2):
        reject(client, queue, requeue=True)
    client.until_count(queue, 0)
    assert client.channel.get(queue) is None


def test_a_classic_queue_brings_it_back_for_ever(client: Client) -> None:
    queue = client.queue()
    client.said(queue, "poison")
    for turn in range(30):
        assert reject(client, queue, requeue=True).redelivered == (turn > 0)
    assert client.get(queue).properties.headers == {}


def test_only_a_quorum_queue_knows_a_delivery_limit(client: Client) -> None:
    with closes(client, 406):
        client.queue("classic", delivery_limit=3)


# --- a longest length


def test_a_full_queue_refuses(client: Client, kind: str) -> None:
    queue = client.queue(kind, max_length=2, overflow="reject-publish")
    receipts = [client.say(queue, str(number))[0] for number in range(12)]
    # A quorum queue may let a few in too many before it says no; it never loses what it confirmed.
    first = receipts.index(Receipt.REFUSED)
    assert receipts == [Receipt.CONFIRMED] * first + [Receipt.REFUSED] * (12 - first)
    assert first == 2 if kind == "classic" else 2 <= first <= 4
    assert client.drain(queue) == [str(number) for number in range(first)]


def test_there_is_room_again_once_something_was_read(client: Client) -> None:
    queue = client.queue(max_length=1, overflow="reject-publish")
    client.said(queue, "a")
    assert client.say(queue, "b") == [Receipt.REFUSED]
    client.channel.ack(tag(client.get(queue)))
    client.said(queue, "c")
    assert client.drain(queue) == ["c"]


def test_a_message_refused_by_one_queue_is_in_the_others(client: Client) -> None:
    exchange, full, roomy = client.exchange("fanout"), client.queue(max_length=0, overflow="reject-publish"), client.queue()
    for queue in (full, roomy):
        client.channel.bind(queue, exchange)
    assert client.say("", "m", exchange=exchange) == [Receipt.REFUSED]
    assert (client.drain(full), client.drain(roomy)) == ([], ["m"])


def test_else_the_oldest_give_way(client: Client, kind: str) -> None:
    queue, dead = dying(client, kind, max_length=2)
    client.said(queue, *"abcd")
    client.until_count(queue, 2)
    assert client.drain(queue) == ["c", "d"]
    gone = [client.get(dead) for _ in range(2)]
    assert {each.body for each in gone} == {b"a", b"b"}
    assert [deaths(each) for each in gone] == [[(queue, "maxlen", 1)]] * 2


def test_a_classic_queue_looks_at_its_length_before_it_looks_at_the_time(client: Client) -> None:
    grave = client.queue()
    queue = client.queue(message_ttl=0, max_length=0, dead_letter_exchange="", dead_letter_routing_key=grave)
    client.said(queue, "too many, and expired")
    assert deaths(client.get(grave)) == [(queue, "maxlen", 1)]

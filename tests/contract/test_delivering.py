"""How messages are handed out, acknowledged and given back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from patterns.amqp import DIRECT_REPLY_TO, Cancelled
from patterns.errors import ChannelClosed
from tests.contract.client import SOON, Client, deliveries, ended, eventually, tag


def test_messages_arrive_in_order_and_are_gone_once_acknowledged(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "a", "b")
    consumer = client.channel.consume(queue)
    client.said(queue, "c")
    heard = client.hear(3)
    assert [each.body for each in heard] == [b"a", b"b", b"c"]
    assert {(each.redelivered, each.consumer, each.queue) for each in heard} == {(False, consumer, queue)}
    for each in heard:
        client.channel.ack(tag(each))
    client.channel.close()
    client.again()
    assert client.drain(queue) == []


def test_one_ack_may_settle_all_before_it(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "a", "b", "c")
    client.channel.consume(queue)
    client.channel.ack(tag(client.hear(3)[1]), multiple=True)
    client.channel.close()
    client.again()
    assert client.drain(queue) == ["c"]


def test_each_message_goes_to_one_of_the_competing_consumers(
    connect: Callable[..., Client], client: Client, kind: str
) -> None:
    queue = client.queue(kind)
    workers = [connect(f"worker {number}") for number in range(3)]
    for worker in workers:
        worker.channel.qos(10)
        worker.channel.consume(queue)
    bodies = [str(number) for number in range(30)]
    client.said(queue, *bodies)
    # Who gets which is the broker's choice; with room for ten each, and thirty, everybody gets ten.
    shares = [worker.heard(10) for worker in workers]
    assert sorted(body for share in shares for body in share) == sorted(bodies)
    assert all(share == sorted(share, key=int) for share in shares)


def test_prefetch_holds_back_until_there_is_room(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.channel.qos(2)
    client.channel.consume(queue)
    client.said(queue, *"abcdef")
    first, second = client.hear(2)
    assert client.rest(queue) == []
    client.channel.ack(tag(first))
    assert client.heard(1) == ["c"]
    assert client.rest(queue) == []
    client.channel.nack(tag(second), requeue=False)
    fourth = client.hear(1)[0]
    client.channel.ack(tag(fourth), multiple=True)
    assert client.heard(2) == ["e", "f"]


def test_prefetch_is_each_consumers_own_and_holds_from_its_start(client: Client, kind: str) -> None:
    one, two = client.queue(kind), client.queue(kind)
    client.said(one, *"abcd")
    client.said(two, *"abcd")
    client.channel.qos(1)
    client.channel.consume(one)
    client.channel.qos(3)
    client.channel.consume(two)
    assert Counter(each.queue for each in client.hear(4)) == {one: 1, two: 3}
    client.said(one, "e")
    assert client.rest(one, two) == []


def test_without_prefetch_everything_comes_at_once(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, *map(str, range(300)))
    client.channel.qos(0)
    client.channel.consume(queue)
    assert client.heard(300) == [str(number) for number in range(300)]


def test_take_hands_out_batches_of_at_most_the_limit(client: Client) -> None:
    queue = client.queue()
    client.said(queue, *map(str, range(10)))
    client.channel.consume(queue)
    client.count(queue)  # the queue answers after what it delivered, so now all ten are here
    sizes = [len(client.channel.take(4, SOON)) for _ in range(3)]
    assert sizes == [4, 4, 2]


def test_take_with_nothing_to_give_waits_as_long_as_told(client: Client) -> None:
    client.channel.consume(client.queue())
    assert client.channel.take(10, 0) == []
    assert client.channel.take(10, 0.01) == []


def test_wake_ends_the_current_take_and_else_the_next(client: Client) -> None:
    queue = client.queue()
    client.channel.consume(queue)
    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(client.channel.take, 10, SOON)
        client.channel.wake()
        assert taking.result(SOON / 2) == []
    client.channel.wake()
    assert client.channel.take(10, None) == []
    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(client.hear, 1)  # not woken by what woke the one before
        client.said(queue, "m")
        assert taking.result(SOON)[0].body == b"m"


def test_no_wake_is_lost_however_the_threads_meet(client: Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        for _ in range(200):
            taking = pool.submit(client.channel.take, 10, SOON)
            client.channel.wake()
            assert taking.result(SOON / 2) == []


def test_a_requeued_message_comes_back_where_it_stood(client: Client, other: Client) -> None:
    # Promised by classic queues; quorum queues hand what came back out first, or (without a limit) last.
    queue = client.queue()
    client.said(queue, *"abcd")
    a, b, c = [client.get(queue) for _ in range(3)]
    client.channel.reject(tag(a), requeue=True)
    client.channel.nack(tag(c), requeue=True)
    client.channel.nack(tag(b), requeue=True)
    client.until_count(queue, 4)
    got = [other.get(queue) for _ in range(4)]
    assert [each.body for each in got] == [b"a", b"b", b"c", b"d"]
    assert [each.redelivered for each in got] == [True, True, True, False]


def test_what_comes_back_to_a_quorum_queue_with_a_limit_comes_first(client: Client, other: Client) -> None:
    queue = client.queue("quorum", delivery_limit=10)
    client.said(queue, *"abc")
    client.channel.reject(tag(client.get(queue)), requeue=True)
    client.until_count(queue, 3)
    got = [other.get(queue) for _ in range(3)]
    assert [(each.body, each.redelivered) for each in got] == [(b"a", True), (b"b", False), (b"c", False)]


def test_nack_may_give_back_all_before_it(client: Client, kind: str) -> None:
    queue = client.queue(kind, delivery_limit=10) if kind == "quorum" else client.queue(kind)
    client.said(queue, *"abcd")
    held = [client.get(queue) for _ in range(4)]
    client.channel.nack(tag(held[2]), multiple=True)
    client.until_count(queue, 3)
    got = [client.get(queue) for _ in range(3)]
    assert [(each.body, each.redelivered) for each in got] == [(b"a", True), (b"b", True), (b"c", True)]
    client.channel.ack(tag(held[3]))  # still ours
    client.channel.qos(1)  # and the channel lives


@pytest.mark.parametrize("how", ["nack", "reject"])
def test_without_a_dead_letter_exchange_a_refused_message_is_gone(client: Client, kind: str, how: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "m")
    getattr(client.channel, how)(tag(client.get(queue)), requeue=False)
    client.channel.close()
    client.again()
    assert client.drain(queue) == []


def test_a_closed_channel_gives_back_what_it_held_even_unread(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, *"abc")
    other.channel.qos(2)
    other.channel.consume(queue)
    client.until_count(queue, 1)  # two are on their way to somebody who never reads them
    other.channel.close()
    client.until_count(queue, 3)
    got = [client.get(queue) for _ in range(3)]
    assert {(each.body, each.redelivered) for each in got} == {(b"a", True), (b"b", True), (b"c", False)}
    if kind == "classic":
        assert [each.body for each in got] == [b"a", b"b", b"c"]


def test_a_closed_connection_gives_back_what_it_held(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "m")
    assert not other.get(queue).redelivered
    other.connection.close()
    assert client.get(queue).redelivered


def test_auto_ack_leaves_nothing_behind(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "a")
    other.channel.consume(queue, auto_ack=True)
    [delivery] = other.hear(1)
    assert delivery.tag is None
    other.connection.close()
    assert client.drain(queue) == []


def test_get_fetches_one_or_nothing(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    assert client.channel.get(queue) is None
    client.said(queue, "a", "b")
    found = client.get(queue)
    assert (found.body, found.queue, found.consumer) == (b"a", queue, "")
    auto = client.channel.get(queue, auto_ack=True)
    assert auto is not None
    assert (auto.body, auto.tag) == (b"b", None)
    assert client.channel.get(queue) is None
    client.channel.reject(tag(found), requeue=True)
    assert client.get(queue).redelivered


def test_a_cancelled_consumer_keeps_what_it_holds(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.channel.qos(1)
    consumer = client.channel.consume(queue)
    client.said(queue, "a", "b")
    [held] = client.hear(1)
    client.channel.cancel(consumer)
    client.channel.ack(tag(held))
    client.until_count(queue, 1)
    assert client.rest(queue) == []
    assert client.drain(queue) == ["b"]


def test_what_was_on_its_way_to_a_cancelled_consumer_still_comes(client: Client, other: Client, kind: str) -> None:
    for _ in range(10):
        queue = client.queue(kind)
        client.said(queue, *map(str, range(200)))
        consumer = client.channel.consume(queue)
        client.channel.cancel(consumer)
        came = [each.body for each in deliveries(client.channel.take(1000, 0))]
        if came:
            client.channel.ack(0, multiple=True)
        client.until_count(queue, 200 - len(came))
        left = [other.get(queue) for _ in range(200 - len(came))]
        assert not [each.body for each in left if each.redelivered], "given back, though nobody refused it"


def test_a_channel_knows_which_of_its_consumers_are_alive(client: Client, other: Client, kind: str) -> None:
    one, two = client.queue(kind), client.queue(kind)
    assert client.channel.consumers == {}
    tags = {client.channel.consume(queue): queue for queue in (one, two)}
    replies = client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    assert client.channel.consumers == {**tags, replies: DIRECT_REPLY_TO}
    other.channel.delete_queue(one)
    eventually(lambda: one not in client.channel.consumers.values(), lambda: str(client.channel.consumers))
    client.channel.cancel(replies)
    assert list(client.channel.consumers.values()) == [two]
    before = client.channel
    before.ack(7)  # a mistake that closes the channel
    ended(before)
    assert before.consumers == {}


def test_a_consumer_hears_that_its_queue_was_deleted(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    consumer = client.channel.consume(queue)
    other.channel.delete_queue(queue)
    assert client.channel.take(10, SOON) == [Cancelled(queue, consumer)]
    client.channel.cancel(consumer)  # which changes nothing any more
    assert client.channel.is_open


def test_cancelling_is_done_once_and_nobody_is_told_of_it(client: Client, other: Client) -> None:
    queue = client.queue()
    consumer = client.channel.consume(queue)
    client.channel.cancel(consumer)
    client.channel.cancel(consumer)
    client.channel.cancel("never heard of")
    other.channel.delete_queue(queue)
    client.channel.qos(1)  # an answer: whatever the broker had to say has arrived
    assert client.channel.take(10, 0) == []


def test_a_consumer_may_be_cancelled_while_its_queue_is_deleted(client: Client, other: Client) -> None:
    for _ in range(10):
        queue = client.queue()
        consumer = client.channel.consume(queue)
        with ThreadPoolExecutor(1) as pool:
            deleting = pool.submit(other.channel.delete_queue, queue)
            client.channel.cancel(consumer)
            deleting.result(SOON)
        assert set(client.channel.take(10, 0)) <= {Cancelled(queue, consumer)}


@pytest.mark.parametrize("how", ["ack", "nack", "reject"])
def test_an_unknown_delivery_tag_closes_the_channel(client: Client, how: str) -> None:
    getattr(client.channel, how)(7)
    assert ended(client.channel).code == 406
    assert client.connection.is_open
    client.channel.close()
    client.connection.close()
    with pytest.raises(ChannelClosed) as caught:  # the first reason stays
        client.channel.ack(1)
    assert caught.value.code == 406


def test_nobody_acknowledges_twice(client: Client) -> None:
    queue = client.queue()
    client.said(queue, "m")
    found = client.get(queue)
    client.channel.ack(tag(found))
    client.channel.ack(tag(found))
    assert ended(client.channel).code == 406


def test_what_a_mistake_closed_gives_back_what_it_held(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "m")
    client.get(queue)
    client.channel.ack(99)
    assert ended(client.channel).code == 406
    assert other.get(queue).redelivered


def test_tags_belong_to_their_channel(client: Client) -> None:
    queue = client.queue()
    client.said(queue, "m")
    found = client.get(queue)
    second = client.connection.channel()
    second.ack(tag(found))
    assert ended(second).code == 406
    client.channel.ack(tag(found))
    client.channel.qos(1)


def test_a_consumer_may_be_read_while_another_thread_publishes(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.channel.qos(7)
    client.channel.consume(queue)
    stop = threading.Event()
    said: list[str] = []

    def publish() -> None:
        while not stop.is_set():
            said.append(str(len(said)))
            client.said(queue, said[-1])

    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish)
        heard: list[str] = []
        while len(heard) < 100:
            batch = client.hear(1, limit=1)
            heard += [each.body.decode() for each in batch]
            client.channel.ack(tag(batch[-1]))
        stop.set()
        publishing.result(SOON)
    assert heard == said[:100]

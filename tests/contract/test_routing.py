"""Which queues a message reaches."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from patterns.address import matches
from patterns.amqp import Outgoing, Properties, Receipt
from tests.contract.client import Client, closes

WORDS = ("a", "b")


def of_up_to_three(words: tuple[str, ...]) -> list[str]:
    """Everything one can write with up to three of these words, dots between; also nothing."""
    return [".".join(picked) for length in range(4) for picked in itertools.product(words, repeat=length)]


KEYS = of_up_to_three(WORDS)
PATTERNS = of_up_to_three((*WORDS, "*", "#"))


def lets_in(pattern: str, key: str) -> bool:
    """What a topic means, said slowly: write each # as no, one, two or three stars, and compare word by word."""
    parts, words = [text.split(".") if text else [] for text in (pattern, key)]
    for counts in itertools.product(range(4), repeat=parts.count("#")):
        left = iter(counts)
        stars = [star for part in parts for star in (["*"] * next(left) if part == "#" else [part])]
        if len(stars) == len(words) and all(star in ("*", word) for star, word in zip(stars, words, strict=True)):
            return True
    return False


TABLE = {(pattern, key) for pattern in PATTERNS for key in KEYS if lets_in(pattern, key)}


def test_every_topic_pattern_lets_in_the_keys_it_should(client: Client) -> None:
    topic, end = client.exchange("topic"), client.exchange("fanout")
    patterns: dict[str, str] = {}
    for pattern in PATTERNS:
        queue = client.queue(durable=False, exclusive=True)
        patterns[queue] = pattern
        client.channel.bind(queue, topic, pattern)
        client.channel.bind(queue, end)
        client.channel.consume(queue, auto_ack=True)
    assert client.channel.publish([Outgoing(topic, key, key.encode()) for key in KEYS]) == [Receipt.CONFIRMED] * len(KEYS)
    client.said("", "end", exchange=end)
    got = [(patterns[each.queue], each.body.decode()) for each in client.hear(len(TABLE) + len(PATTERNS))]
    for pattern in PATTERNS:
        got.remove((pattern, "end"))
    assert sorted(got) == sorted(TABLE)


def test_the_wiring_check_sees_topics_as_the_brokers_do() -> None:
    assert {(pattern, key) for pattern in PATTERNS for key in KEYS if matches(pattern, key)} == TABLE


@pytest.mark.parametrize(("pattern", "key", "arrives"), [
    ("a..b", "a..b", True), ("a.*.b", "a..b", True), ("a.#.b", "a..b", True), ("a.b", "a..b", False), ("*", "a.", False),
    ("*.*", "a.", True), ("#.#", "", True), ("A", "a", False), ("a*", "ab", False), ("a#", "a.b", False),
])
def test_topics_with_empty_and_odd_words(client: Client, pattern: str, key: str, arrives: bool) -> None:
    topic, queue = client.exchange("topic"), client.queue(durable=False, exclusive=True)
    client.channel.bind(queue, topic, pattern)
    assert client.say(key, "m", exchange=topic) == [Receipt.CONFIRMED if arrives else Receipt.RETURNED]
    assert matches(pattern, key) is arrives


def test_the_default_exchange_reaches_the_queue_of_that_name(client: Client, kind: str) -> None:
    queue, other = client.queue(kind), client.queue(kind)
    client.said(queue, "m")
    assert (client.drain(queue), client.drain(other)) == (["m"], [])


def test_the_default_exchange_cannot_be_bound_or_declared(client: Client) -> None:
    queue = client.queue()
    with closes(client, 403):
        client.channel.bind(queue, "", "key")
    with closes(client, 403):
        client.channel.declare_exchange("", "direct")


def test_a_direct_exchange_wants_the_same_key(client: Client) -> None:
    exchange, one, two = client.exchange("direct"), client.queue(), client.queue()
    for queue, key in ((one, "a"), (one, "b"), (two, "b")):
        client.channel.bind(queue, exchange, key)
    for key in ("a", "b", "a.b", ""):
        client.say(key, key, exchange=exchange)
    assert (client.drain(one), client.drain(two)) == (["a", "b"], ["b"])


def test_a_fanout_exchange_asks_for_no_key(client: Client, kind: str) -> None:
    exchange, queues = client.exchange("fanout"), [client.queue(kind) for _ in range(3)]
    for queue in queues:
        client.channel.bind(queue, exchange, "ignored")
    client.said("another", "m", exchange=exchange)
    assert [client.drain(queue) for queue in queues] == [["m"]] * 3


@pytest.mark.parametrize(("wanted", "headers", "arrives"), [
    ({"x-match": "all", "a": 1, "b": "x"}, {"a": 1, "b": "x", "c": 0}, True),
    ({"x-match": "all", "a": 1, "b": "x"}, {"a": 1}, False),
    ({"x-match": "any", "a": 1, "b": "x"}, {"a": 1}, True),
    ({"x-match": "any", "a": 1, "b": "x"}, {"a": 2, "b": "y"}, False),
    ({"a": 1, "b": "x"}, {"a": 1}, False),
    ({"a": 1}, {"a": "1"}, False),
    ({"a": 1}, {"a": True}, False),
    ({"a": None}, {"a": "anything"}, True),
    ({"a": None}, {"b": "anything"}, False),
    ({"x-match": "all"}, {}, True),
    ({"x-match": "any"}, {"a": 1}, False),
    ({"x-match": "all", "x-a": 1}, {}, True),
    ({"x-match": "all-with-x", "x-a": 1}, {}, False),
    ({"x-match": "any-with-x", "x-a": 1}, {"x-a": 1}, True),
])
def test_a_headers_exchange_looks_at_headers(
    client: Client, wanted: dict[str, Any], headers: dict[str, Any], arrives: bool
) -> None:
    exchange, queue = client.exchange("headers"), client.queue(durable=False, exclusive=True)
    client.channel.bind(queue, exchange, "", wanted)
    expected = Receipt.CONFIRMED if arrives else Receipt.RETURNED
    assert client.say("k", "m", exchange=exchange, headers=headers) == [expected]


def test_a_queue_gets_one_copy_however_many_bindings_match(client: Client, kind: str) -> None:
    exchange, queue = client.exchange("topic"), client.queue(kind)
    for pattern in ("order.placed", "order.*", "#", "*.placed"):
        client.channel.bind(queue, exchange, pattern)
        client.channel.bind(queue, exchange, pattern)
    client.said("order.placed", "m", exchange=exchange)
    assert client.drain(queue) == ["m"]


def test_unbinding_ends_it(client: Client) -> None:
    exchange, queue = client.exchange("topic"), client.queue()
    client.channel.bind(queue, exchange, "a")
    client.channel.bind(queue, exchange, "b")
    client.said("a", "before", exchange=exchange)
    client.channel.unbind(queue, exchange, "a")
    client.channel.unbind(queue, exchange, "never bound")
    assert client.say("a", "a", exchange=exchange) == [Receipt.RETURNED]
    client.said("b", "b", exchange=exchange)
    assert client.drain(queue) == ["before", "b"]


def test_an_alternate_exchange_gets_what_has_no_queue(client: Client) -> None:
    spare, queue, main_queue = client.exchange("fanout"), client.queue(), client.queue()
    client.channel.bind(queue, spare)
    main = client.exchange("direct", alternate_exchange=spare)
    client.channel.bind(main_queue, main, "known")
    client.said("known", "1", exchange=main)
    client.said("unknown", "2", exchange=main)
    [found] = [client.get(queue)]
    assert (found.body, found.exchange, found.routing_key) == (b"2", main, "unknown")
    assert (client.drain(queue), client.drain(main_queue)) == ([], ["1"])


def test_alternate_exchanges_in_a_circle_end_somewhere(client: Client) -> None:
    one, two = client.fresh("one"), client.fresh("two")
    for name, alternate in ((one, two), (two, one)):
        client.channel.declare_exchange(name, "direct", durable=False, arguments={"alternate-exchange": alternate})
    assert client.say("nowhere", "m", exchange=one) == [Receipt.RETURNED]
    for name in (one, two):
        client.channel.delete_exchange(name)


@pytest.mark.parametrize("predeclared", ["amq.direct", "amq.fanout", "amq.topic", "amq.headers"])
def test_the_exchanges_every_broker_has(client: Client, predeclared: str) -> None:
    queue = client.queue(durable=False, exclusive=True)
    client.channel.declare_exchange(predeclared, predeclared.removeprefix("amq."))
    client.channel.bind(queue, predeclared, client.prefix, {"only": client.prefix})
    client.said(client.prefix, "m", exchange=predeclared, headers={"only": client.prefix})
    assert client.drain(queue) == ["m"]


def test_an_auto_delete_exchange_goes_with_its_last_binding(client: Client) -> None:
    exchange, one, two = client.exchange("fanout", auto_delete=True), client.queue(), client.queue()
    client.channel.unbind(one, exchange)  # it was never bound, so nothing ends
    client.channel.bind(one, exchange)
    client.channel.bind(two, exchange)
    client.channel.unbind(one, exchange)
    client.said("", "m", exchange=exchange)
    client.channel.delete_queue(two)
    with closes(client, 404):
        client.channel.declare_exchange(exchange, "fanout", passive=True)


def test_deleting_an_exchange_deletes_its_bindings(client: Client) -> None:
    exchange, queue = client.exchange("fanout"), client.queue()
    client.channel.bind(queue, exchange)
    with closes(client, 406):
        client.channel.delete_exchange(exchange, if_unused=True)
    client.channel.delete_exchange(exchange)
    client.channel.delete_exchange(exchange)
    client.channel.declare_exchange(exchange, "fanout")
    assert client.say("", "m", exchange=exchange) == [Receipt.RETURNED]


def test_a_reserved_name_is_nobodys_to_declare_or_delete(client: Client) -> None:
    with closes(client, 403):
        client.channel.declare_exchange("amq.mine", "direct")
    with closes(client, 403):
        client.channel.delete_exchange("amq.direct")
    with closes(client, 403):
        client.channel.declare_queue("amq.mine")


def test_what_a_message_says_of_its_way_is_where_it_was_published(client: Client) -> None:
    exchange, queue = client.exchange("topic"), client.queue()
    client.channel.bind(queue, exchange, "order.*")
    client.channel.publish([Outgoing(exchange, "order.placed", b"m", Properties(message_id="7"))])
    found = client.get(queue)
    assert (found.queue, found.exchange, found.routing_key) == (queue, exchange, "order.placed")

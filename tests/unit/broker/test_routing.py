from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest

from patterns.broker.exchanges import headers_match, topic_matches
from tests.unit.broker.bench import Bench, refused


def as_regex(pattern: str) -> str:
    """A second, independent reading of topic patterns, on words that each end with a dot."""
    parts = {"*": r"[^.]*\.", "#": r"(?:[^.]*\.)*"}
    return "".join(parts.get(part, re.escape(part) + r"\.") for part in pattern.split(".")) if pattern else ""


def keys(words: str, longest: int) -> list[str]:
    return [".".join(parts) for length in range(longest + 1) for parts in product(words, repeat=length)]


def test_topic_patterns_match_exactly_the_keys_they_describe() -> None:
    pairs = list(product(keys("ab*#", 4), keys("abc", 4)))
    wrong = [
        (pattern, key) for pattern, key in pairs
        if topic_matches(pattern, key)
        != bool(re.fullmatch(as_regex(pattern), "".join(f"{word}." for word in key.split(".")) if key else ""))
    ]
    assert len(pairs) == 341 * 121
    assert wrong == []


@pytest.mark.parametrize(("pattern", "key", "matches"), [
    ("a.#", "a", True), ("#.a", "a", True), ("#", "", True), ("*", "", False), ("", "", True), ("a.*", "a", False),
    ("a..b", "a..b", True), ("a.*.b", "a..b", True), ("#.#", "", True), ("*.#", "", False), ("a", "A", False),
])
def test_topic_corner(pattern: str, key: str, matches: bool) -> None:
    assert topic_matches(pattern, key) is matches


@pytest.mark.parametrize(("wanted", "headers", "matches"), [
    ({}, {"a": 1}, True),
    ({"x-match": "any"}, {"a": 1}, False),
    ({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, True),
    ({"a": 1, "b": 2}, {"a": 1}, False),
    ({"a": 1, "b": 2, "x-match": "any"}, {"a": 1}, True),
    ({"a": None}, {"a": "anything"}, True),
    ({"a": None}, {}, False),
    ({"a": 1}, {"a": "1"}, False),
    ({"a": 1}, {"a": True}, False),
    ({"x-a": 1}, {}, True),
    ({"x-a": 1, "x-match": "all-with-x"}, {}, False),
    ({"x-a": 1, "x-match": "any-with-x"}, {"x-a": 1}, True),
    ({"x-a": 1, "x-match": "any"}, {"x-a": 1}, False),
])
def test_headers_match(wanted: dict[str, Any], headers: dict[str, Any], matches: bool) -> None:
    assert headers_match(wanted, headers) is matches


def test_the_default_exchange_knows_every_queue_by_name(bench: Bench) -> None:
    bench.queue("hello")
    bench.publish("hello", "world")
    assert bench.ready("hello") == ["world"]


@pytest.mark.parametrize("kind", ["direct", "topic", "fanout", "headers"])
def test_a_queue_gets_one_copy_though_several_bindings_match(bench: Bench, kind: str) -> None:
    bench.queue("q")
    bench.queue("other")
    bench.exchange("x", kind)
    for key in ("k", "#" if kind == "topic" else "k2"):
        bench.bind("q", "x", key)
    bench.bind("q", "x", "k", {"extra": 1})
    bench.bind("other", "x", "never", {"only": "this"})
    bench.publish("k", "once", "x", headers={"extra": 1})
    assert bench.ready("q") == ["once"]
    assert bench.ready("other") == (["once"] if kind == "fanout" else [])


@pytest.mark.parametrize("name", ["amq.direct", "amq.topic", "amq.fanout", "amq.headers", "amq.match"])
def test_predeclared_exchanges_are_there(bench: Bench, name: str) -> None:
    bench.queue("q")
    bench.bind("q", name, "k")
    bench.publish("k", "m", name)
    assert bench.ready("q") == ["m"]


def test_a_new_binding_and_an_unbind_count_at_once(bench: Bench) -> None:
    bench.queue("q")
    bench.exchange("x", "topic")
    assert bench.publish("a.b", "too soon", "x", mandatory=True) == "returned"
    bench.bind("q", "x", "a.*")
    assert bench.publish("a.b", "now", "x", mandatory=True) == "stored"
    bench.machine.unbind(bench.channel, "q", "x", "a.*", 0.0)
    assert bench.publish("a.b", "too late", "x", mandatory=True) == "returned"
    assert bench.ready("q") == ["now"]


def test_unbinding_what_was_never_bound_is_fine(bench: Bench) -> None:
    bench.queue("q")
    bench.exchange("x", "topic")
    for queue, exchange in (("q", "x"), ("none", "x"), ("q", "none")):
        bench.machine.unbind(bench.channel, queue, exchange, "k", 0.0)


def test_what_has_nowhere_to_go_tries_the_alternate_exchange(bench: Bench) -> None:
    bench.exchange("first", "direct", arguments={"alternate-exchange": "second"})
    bench.exchange("second", "direct", arguments={"alternate-exchange": "first"})
    assert bench.publish("k", "m", "first", mandatory=True) == "returned"  # and it does not run in circles
    bench.queue("q")
    bench.bind("q", "second", "k")
    assert bench.publish("k", "m", "first", mandatory=True) == "stored"
    assert bench.ready("q") == ["m"]


def test_an_alternate_exchange_that_is_not_there_changes_nothing(bench: Bench) -> None:
    bench.exchange("first", "direct", arguments={"alternate-exchange": "nowhere"})
    assert bench.publish("k", "m", "first", mandatory=True) == "returned"


def test_publishing_to_no_exchange_closes_the_channel(bench: Bench) -> None:
    with refused(404, "no exchange 'nowhere'"):
        bench.publish("k", exchange="nowhere")
    with refused(504):
        bench.publish("k")


@pytest.mark.parametrize("how", ["queue deleted", "unbound"])
def test_an_auto_delete_exchange_goes_with_its_last_binding(bench: Bench, how: str) -> None:
    bench.queue("q")
    bench.exchange("x", "fanout", auto_delete=True)
    bench.bind("q", "x", "one")
    bench.bind("q", "x", "two")
    bench.machine.unbind(bench.channel, "q", "x", "one", 0.0)
    bench.exchange("x", "", passive=True)
    if how == "queue deleted":
        bench.machine.delete_queue(bench.channel, "q", 0.0)
    else:
        bench.machine.unbind(bench.channel, "q", "x", "two", 0.0)
    with refused(404):
        bench.exchange("x", "", passive=True)


def test_routing_keys_are_forgotten_before_they_fill_the_memory(bench: Bench) -> None:
    bench.queue("q")
    bench.exchange("x", "topic")
    bench.bind("q", "x", "saga.*.event")
    for order in range(10_000):
        bench.publish(f"saga.{order}.event", "m", "x")
    assert len(bench.machine.exchanges["x"].remembered) <= 4096
    assert len(bench.ready("q")) == 10_000

"""The fuzzer: any body, headers and properties, at any queue that feeds a handler.

Each example is one letter that has something wrong with it in one to three ways, and one that is odd but in order (known
already, so that it changes nothing).  What becomes of the first is foretold from what is wrong, not from the code.

    FUZZ_EXAMPLES=2000 make test ARGS="tests/flows/test_message_fuzzer.py -s"
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lab.local import LocalShop
from patterns.message import TYPES
from tests.flows.siege import TARGETS, Siege, Target, letter
from tests.flows.words import until
from tests.strangers import Field, Letter

pytestmark = pytest.mark.whole(shop="real")

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))

# -- headers: every type of AMQP's tables, nested

names = st.binary(max_size=255).filter(lambda name: not name.startswith((b"x-", b"CC", b"BCC", b"order_id", b"schema")))
leaves = st.one_of(
    st.builds(Field, st.just("t"), st.integers(0, 255)), st.builds(Field, st.just("b"), st.integers(-128, 127)),
    st.builds(Field, st.just("B"), st.integers(0, 255)), st.builds(Field, st.just("u"), st.integers(0, 2**16 - 1)),
    st.builds(Field, st.just("s"), st.integers(-(2**15), 2**15 - 1)),
    st.builds(Field, st.just("I"), st.integers(-(2**31), 2**31 - 1)),
    st.builds(Field, st.just("i"), st.integers(0, 2**32 - 1)),
    st.builds(Field, st.sampled_from("lL"), st.integers(-(2**63), 2**63 - 1)),
    st.builds(Field, st.just("f"), st.floats(width=32, allow_nan=False, allow_infinity=False)),
    st.builds(Field, st.just("d"), st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(Field, st.just("D"), st.tuples(st.integers(0, 255), st.integers(-(2**31), 2**31 - 1))),
    st.builds(Field, st.sampled_from("Sx"), st.binary(max_size=2_000)),
    st.builds(Field, st.just("T"), st.integers(0, 2**64 - 1)), st.just(Field("V")),
)
values = st.recursive(leaves, lambda inner: st.one_of(
    st.builds(Field, st.just("A"), st.lists(inner, max_size=5)),
    st.builds(Field, st.just("F"), st.lists(st.tuples(names, inner), max_size=5)),
), max_leaves=12)
tables = st.lists(st.tuples(names, values), max_size=8).map(tuple)
large = st.integers(200, 1_100).map(lambda count: tuple((b"n%d" % each, Field("x", b"v" * 100)) for each in range(count)))
forged = st.lists(st.tuples(st.sampled_from([
    b"attempt", b"replays", b"failures", b"first_failed_at", b"parked_from", b"parked_because", b"mode", b"causation_id",
    b"traceparent", b"deadline", b"x-death", b"x-delivery-count", b"x-first-death-queue", b"client.CC",
]), values), max_size=4).map(tuple)
headers = st.one_of(tables, tables, large, forged)

# -- what is odd, and in order

oddities = st.fixed_dictionaries({}, optional={
    "timestamp": st.integers(0, 2**64 - 1), "priority": st.integers(0, 255), "correlation_id": st.binary(max_size=255),
    "app_id": st.binary(max_size=255), "content_encoding": st.binary(max_size=255), "cluster_id": st.binary(max_size=255),
    "persistent": st.booleans(), "reply_to": st.binary(min_size=1, max_size=20).map(
        lambda raw: b"amq.rabbitmq.reply-to." + raw.hex().encode()),
})

# -- what is wrong, and so is parked

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4), max_leaves=20)
wrong_values = st.one_of(
    st.sampled_from([None, True, 0, -1, 2**63, 10**400, 1.5, "1", "", "\0", [], {}, [{}], "x" * 70_000]), json_values)
texts = st.binary(max_size=255)


@dataclass
class Wrong:
    """A letter on its way to being wrong."""

    target: Target
    kind: str
    letter: Letter
    ignored: bool = False
    done: list[str] = field(default_factory=list)

    def change(self, what: str, **changes: Any) -> None:
        """Change the letter, and note what was done."""
        self.letter = replace(self.letter, **changes)
        self.done.append(what)


def readable(kind: str, body: bytes) -> bool:
    """Whether this is such a message after all."""
    try:
        TYPES[kind].received(body, message_id="m", mode="rpc")
    except (ValueError, ValidationError, RecursionError):
        return False
    return True


def ruin(draw: Any, wrong: Wrong, how: str) -> None:
    """Do one thing to a letter that no reader may accept."""
    match how:
        case "bytes":
            wrong.change(how, body=draw(st.binary(max_size=3_000)))
        case "JSON":
            wrong.change(how, body=draw(json_values.map(lambda value: json.dumps(value).encode())))
        case "field":
            known = json.loads(letter(wrong.target, wrong.kind, uuid4()).body)
            name = draw(st.sampled_from(sorted(known)))
            known[name] = draw(wrong_values)
            wrong.change(f"{how} {name}", body=json.dumps(known).encode())
        case "missing field":
            known = json.loads(letter(wrong.target, wrong.kind, uuid4()).body)
            del known[draw(st.sampled_from(sorted(known)))]
            wrong.change(how, body=json.dumps(known).encode())
        case "size":
            size = draw(st.sampled_from([65_537, 100_000, 2**20]))
            wrong.change(how, body=wrong.letter.body.ljust(size))
        case "message id":
            wrong.change(how, message_id=draw(st.sampled_from([None, b"", b"\0", b"a\nb", b"\xff" * 16])))
        case "type":
            kind = draw(st.none() | texts.filter(lambda kind: kind.decode(errors="replace") not in TYPES))
            wrong.change(how, type=kind)
            wrong.ignored = wrong.target.broadcast and bool(kind)
        case "content type":
            wrong.change(how, content_type=draw(st.none() | texts.filter(lambda kind: kind != b"application/json")))
        case "schema":
            version = draw(leaves.filter(lambda leaf: not str(leaf.seen()).startswith("1")))
            wrong.change(how, headers=(*wrong.letter.headers, (b"schema_version", version)))
        case "reply to":
            wrong.change(how, reply_to=draw(st.sampled_from(sorted(TARGETS)).map(str.encode) | texts.filter(
                lambda text: text and not text.startswith(b"amq.rabbitmq.reply-to."))))
        case "order":
            wrong.change(how, headers=(*wrong.letter.headers, (b"order_id", draw(leaves))))


WAYS = ("bytes", "JSON", "field", "missing field", "size", "message id", "type", "content type", "schema", "reply to",
        "order")
SEEN: Counter[str] = Counter()


@st.composite
def wrong_letters(draw: Any) -> Wrong:
    """A letter that is wrong in one to three ways, and odd in others."""
    target = TARGETS[draw(st.sampled_from(sorted(TARGETS)))]
    kind = draw(st.sampled_from(sorted(target.types)))
    known = letter(target, kind, uuid4())
    known = replace(known, headers=draw(headers), **draw(oddities))
    wrong = Wrong(target, kind, known)
    for how in draw(st.lists(st.sampled_from(WAYS), min_size=1, max_size=3, unique=True)):
        ruin(draw, wrong, how)
    return wrong


def really_wrong(wrong: Wrong) -> bool:
    """Whether chance did not make it right again: a body that can be read after all, and nothing else done."""
    only_the_body = {way.partition(" ")[0] for way in wrong.done} <= {"bytes", "JSON", "missing", "field"}
    return not (only_the_body and readable(wrong.kind, wrong.letter.body))


@pytest.fixture(scope="module")
def siege(shop: LocalShop) -> Iterator[Siege]:
    siege = Siege(shop)
    siege.prime()
    SEEN.clear()
    yield siege
    siege.close()
    print(f"\n{SEEN['examples']} letters: {SEEN['parked']} parked, {SEEN['ignored']} ignored; wrong in: "
          + ", ".join(f"{way} {SEEN[way]}" for way in WAYS))


@pytest.mark.timeout(120 + 2 * EXAMPLES)
def test_nobody_can_write_what_stops_us(siege: Siege) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    )
    @given(wrong_letters().filter(really_wrong), headers, oddities)
    def nothing_stops_us(wrong: Wrong, more: Any, odd: dict[str, Any]) -> None:
        target, books, before = wrong.target, siege.books(), siege.counts(wrong.target)
        known = siege.good(target)
        order = tuple(each for each in known.headers if each[0] == b"order_id")
        siege.stranger.send(wrong.letter, replace(known, headers=(*order, *more), **odd))
        counts = siege.shop.service(target.service).listener.counts
        until(lambda: counts["handled"] > before.get("handled", 0), f"the next good one is handled at {target}")
        if wrong.ignored:
            assert counts["ignored"] == before.get("ignored", 0) + 1
        else:
            parked = siege.parked()
            assert parked.body == wrong.letter.body
            found = parked.properties.headers
            assert (found["parked_from"], found["parked_as"]) == (target.queue, "unreadable"), found["parked_because"]
            assert found["parked_because"].isprintable()
        assert not siege.parked_now()
        assert siege.books() == books
        assert siege.ready()
        ways = ["field" if way.startswith("field ") else way for way in wrong.done]
        SEEN.update(["examples", "ignored" if wrong.ignored else "parked", *ways])

    nothing_stops_us()

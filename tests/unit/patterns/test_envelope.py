"""What is sealed can be read, word for word; and nothing that was not meant so can be."""

from __future__ import annotations

import json
import struct
import time
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pika import spec

from patterns.address import Address, Answer, Direct, Fanout, Queue, Rpc, Topic, saga_command
from patterns.amqp import UNDECODABLE, Delivery, Outgoing, Properties
from patterns.connection_envelope import from_pika, to_pika
from patterns.envelope import Context, Said, context_of, identity, read, seal, seal_reply
from patterns.errors import Unreadable
from patterns.message import MAX_BYTES, SCHEMA_VERSION, Message
from patterns.place_order import PlaceOrder
from patterns.shop import FundsReleased, OrderPlaced, StockReserved, order_id_for
from tests.messages import LANGUAGE, any_message, modes

ADDRESSES: tuple[Address, ...] = (
    Queue("product.reserve"), Rpc("product_stock_update"), Fanout("EX_ORDER"), Direct("order.created"),
    Topic("order.placed"), saga_command("product", "reserve_stock"),
)
BETWEEN_SERVICES = [kind for kind in LANGUAGE.values() if kind is not PlaceOrder]

in_peace = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""However busy the machine is."""

contexts = st.builds(
    Context, mode=modes, causation_id=st.none() | st.uuids().map(str), deadline=st.none() | st.integers(1, 2**39).map(float),
    traceparent=st.none() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True),
)


def arrived(outgoing: Outgoing, queue: str = "q") -> Delivery:
    """A message as it comes out of pika at the other end of the wire."""
    pieces = to_pika(outgoing.properties).encode()
    properties = spec.BasicProperties().decode(b"".join(pieces))
    method = spec.Basic.Deliver("c", 1, False, outgoing.exchange, outgoing.routing_key)
    return from_pika(queue, "c", 1, method, properties, outgoing.body)


@pytest.mark.parametrize("kind", BETWEEN_SERVICES, ids=lambda kind: str(kind.__name__))
@in_peace
@given(data=st.data(), address=st.sampled_from(ADDRESSES), context=contexts)
def test_what_is_sealed_is_read_word_for_word(
    kind: type[Message], data: st.DataObject, address: Address, context: Context
) -> None:
    message = data.draw(any_message(kind))
    delivery = arrived(seal(message, address, context).outgoing("order"))
    assert read(delivery, LANGUAGE, context.mode) == message
    inherited = context_of(delivery, context.mode)
    assert (inherited.mode, inherited.traceparent, inherited.deadline) == (
        context.mode, context.traceparent, context.deadline)
    assert UUID(inherited.causation_id or "") == identity(delivery)


@pytest.mark.parametrize("kind", BETWEEN_SERVICES, ids=lambda kind: str(kind.__name__))
@in_peace
@given(data=st.data(), context=contexts, request=st.uuids().map(str))
def test_an_answer_is_read_word_for_word(
    kind: type[Message], data: st.DataObject, context: Context, request: str
) -> None:
    message = data.draw(any_message(kind))
    said: Said = seal_reply(message, context, "amq.rabbitmq.reply-to.g1h2AA5y.x==", request)
    delivery = arrived(said.outgoing("product"))
    assert read(delivery, LANGUAGE, "rpc") == message
    assert delivery.properties.correlation_id == request


@in_peace
@given(message=any_message(PlaceOrder), key=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_what_a_client_asks_for_is_read(message: PlaceOrder, key: str) -> None:
    pieces: dict[int, int] = {}
    for line in message.lines:
        pieces[line.product_id] = pieces.get(line.product_id, 0) + line.quantity
    body = {"user_id": message.user_id, "mode": message.mode, "items": [dict(line) for line in message.lines]}
    body |= {} if message.amount_cents is None else {"amount_cents": message.amount_cents}
    delivery = Delivery("order.create", 1, "", "order.create", json.dumps(body).encode(), Properties(key, "PlaceOrder"))
    if max(pieces.values()) > 10_000:
        with pytest.raises(Unreadable, match="at most 10000 pieces"):
            read(delivery, LANGUAGE, "default")
        return
    found = read(delivery, LANGUAGE, "default")
    assert isinstance(found, PlaceOrder)
    assert found.order_id == order_id_for(message.user_id, key)
    assert {line.product_id: line.quantity for line in found.lines} == pieces
    assert (found.user_id, found.mode, found.amount_cents) == (message.user_id, message.mode, message.amount_cents)


ORDER = uuid4()
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_the_envelope_says_all_it_knows_and_nothing_it_does_not() -> None:
    known = {"order_id": str(ORDER), "schema_version": SCHEMA_VERSION, "mode": "topic"}
    for context, more in (
        (Context("topic"), {}),
        (Context("topic", "m", TRACE, 1.5e9), {"causation_id": "m", "traceparent": TRACE, "deadline": 1_500_000_000}),
    ):
        said = seal(FundsReleased(order_id=ORDER), Topic("funds.released"), context)
        out = said.outgoing("user", "replies")
        assert out.properties.headers == {**known, **more}
        assert (out.exchange, out.routing_key, out.mandatory, out.body) == (
            "orderflow.topic", "funds.released", True, FundsReleased(order_id=ORDER).model_dump_json().encode())
        about = out.properties
        assert (about.type, about.app_id, about.correlation_id) == ("FundsReleased", "user", str(ORDER))
        assert about.message_id == str(said.message_id)
        assert about.reply_to is None and abs((about.timestamp or 0) - time.time()) < 600


def test_a_message_is_known_by_its_id_whatever_a_client_calls_it() -> None:
    assert identity(delivery(message_id=str(ORDER))) == ORDER
    texts = [identity(delivery(message_id=text)) for text in ("order 5", "order 6", "order 5")]
    assert texts[0] == texts[2] == uuid5(NAMESPACE_OID, "order 5") != texts[1]


def test_an_answer_inherits_what_its_cause_knew() -> None:
    cause = delivery(headers={"mode": "topic", "traceparent": TRACE, "deadline": 1_500_000_000})
    assert context_of(cause, "rpc") == Context("rpc", str(identity(cause)), TRACE, 1.5e9)


def test_a_question_says_where_its_answer_goes_and_an_answer_which_question_it_is_about() -> None:
    asked = seal(FundsReleased(order_id=ORDER), Rpc("ask"), Context("rpc"), awaits_answer=True).outgoing("order", "replies")
    assert (asked.properties.reply_to, asked.mandatory) == ("replies", True)
    told = seal_reply(FundsReleased(order_id=ORDER), Context("rpc"), "replies.x", "m").outgoing("user", "replies")
    assert (told.exchange, told.routing_key, told.properties.correlation_id) == ("", "replies.x", "m")
    assert (told.properties.reply_to, told.mandatory) == (None, False)


# -- nothing else is read

GOOD = json.dumps({"order_id": str(ORDER)}).encode()
ORDERED = {"order_id": str(ORDER), "user_id": 1, "lines": [{"product_id": 1, "quantity": 1}]}
RESERVED = {**ORDERED, "lines": [{"product_id": 1, "quantity": 1, "price_cents": 5}], "amount_cents": 5}


def delivery(body: Any = GOOD, key: str = "q", exchange: str = "", **given: Any) -> Delivery:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery("q", 1, exchange, key, body, Properties(**{"message_id": "m", "type": "FundsReleased", **given}))


def test_this_much_is_enough() -> None:
    assert read(delivery(), LANGUAGE, "rpc") == FundsReleased(order_id=ORDER)
    assert read(delivery(GOOD + b" " * (MAX_BYTES - len(GOOD))), LANGUAGE, "rpc")
    assert read(delivery(headers={"schema_version": "1.7", "order_id": str(ORDER)}), LANGUAGE, "rpc")
    assert read(delivery({"order_id": str(ORDER), "added_later": {"b": [1]}}), LANGUAGE, "rpc")
    assert read(delivery(reply_to="amq.rabbitmq.reply-to.g1h2.x=="), LANGUAGE, "rpc")
    assert read(delivery(key=f"saga.{ORDER}.x", exchange="orderflow.saga"), LANGUAGE, "rpc")
    assert read(delivery(ORDERED, type="OrderPlaced"), LANGUAGE, "rpc")
    assert read(delivery(RESERVED, type="StockReserved"), LANGUAGE, "rpc")
    assert read(delivery(type="Surprise", message_id=None), LANGUAGE, "rpc") is None


REFUSED: dict[str, tuple[Delivery, str]] = {
    "no type": (delivery(type=None), "no type"),
    "an empty type": (delivery(type=""), "no type"),
    "no message id": (delivery(message_id=None), "no message_id"),
    "an empty message id": (delivery(message_id=""), "no message_id"),
    "a message id with NUL": (delivery(message_id="a\0b"), "not plain text"),
    "a message id of two lines": (delivery(message_id="a\nb"), "not plain text"),
    "a message id that is not UTF-8": (delivery(message_id="\N{REPLACEMENT CHARACTER}" * 16), "not plain text"),
    "a byte too many": (delivery(GOOD + b" " * (MAX_BYTES + 1 - len(GOOD))), "65537 bytes; at most 65536"),
    "too many bytes, which nobody parses": (delivery(b"{" * (MAX_BYTES + 1)), "65537 bytes; at most 65536"),
    "no content type": (delivery(content_type=None), "content type None"),
    "another content type": (delivery(content_type="application/x-python-serialize"), "content type"),
    "headers that are none": (delivery(headers={UNDECODABLE: b"\xff"}), "no AMQP table"),
    "another schema": (delivery(headers={"schema_version": "2.0"}), "schema version '2.0'; 1.0 is read"),
    "a schema of another kind": (delivery(headers={"schema_version": {"1": 0}}), "schema version"),
    "a queue to answer to": (delivery(reply_to="order.create"), "is no reply queue"),
    "an old-style reply queue": (delivery(reply_to="rpc.reply.order.1"), "is no reply queue"),
    "direct reply-to itself": (delivery(reply_to="amq.rabbitmq.reply-to"), "is no reply queue"),
    "direct reply-to and more": (delivery(reply_to="amq.rabbitmq.reply-to.x\ny"), "is no reply queue"),
    "a reply-to with NUL": (delivery(reply_to="amq.rabbitmq.reply-to.x\0"), "is no reply queue"),
    "another order in the header": (delivery(headers={"order_id": str(uuid4())}), "the body says"),
    "an order of another kind in the header": (delivery(headers={"order_id": 5}), "the body says"),
    "another order in the saga's key": (delivery(key=f"saga.{uuid4()}.x", exchange="orderflow.saga"), "another order"),
    "no order in the saga's key": (delivery(key="saga", exchange="orderflow.saga"), "another order"),
    "nothing": (delivery(b""), "not a readable FundsReleased"),
    "not UTF-8": (delivery(b'{"order_id": "\xff"}'), "not a readable"),
    "a byte order mark": (delivery(b"\xef\xbb\xbf" + GOOD), "not a readable"),
    "UTF-16": (delivery(GOOD.decode().encode("utf-16")), "not a readable"),
    "a pickle": (delivery(b"\x80\x04\x95\x0b\x00\x00\x00"), "not a readable"),
    "a list": (delivery([1]), "not a readable"),
    "no order": (delivery({}), "order_id"),
    "an order that is no UUID": (delivery({"order_id": "x"}), "order_id"),
    "an order twice": (delivery(b'{"order_id": "%b", "order_id": "%b"}' % (str(ORDER).encode(), str(ORDER).encode())),
                       "names 'order_id' twice"),
    "deep nesting": (delivery(b"[" * 30_000), "not a readable"),
    "deep nesting in an unknown field": (delivery(GOOD[:-1] + b', "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"), "not"),
    "NaN in an unknown field": (delivery(GOOD[:-1] + b', "x": NaN}'), "no number"),
    "5,000 digits": (delivery(GOOD[:-1] + b', "x": ' + b"9" * 5_000 + b"}"), "not a readable"),
    "half a surrogate pair": (delivery(rb'{"order_id": "\ud800"}'), "not a readable"),
    "NUL in a text": (delivery({"order_id": str(ORDER), "reason": "a\0b"}, type="StockRejected"), "reason"),
    "a reason too long": (delivery({"order_id": str(ORDER), "reason": "x" * 501}, type="StockRejected"), "reason"),
    "no lines": (delivery({**ORDERED, "lines": []}, type="OrderPlaced"), "lines"),
    "too many lines": (
        delivery({**ORDERED, "lines": [{"product_id": 1, "quantity": 1}] * 101}, type="OrderPlaced"), "lines"),
    "a user beyond 64 bits": (delivery({**ORDERED, "user_id": 2**63}, type="OrderPlaced"), "user_id"),
    "a user beyond everything": (delivery({**ORDERED, "user_id": 10**400}, type="OrderPlaced"), "not a readable"),
    "user 0": (delivery({**ORDERED, "user_id": 0}, type="OrderPlaced"), "user_id"),
    "user true": (delivery({**ORDERED, "user_id": True}, type="OrderPlaced"), "user_id"),
    "user 1.0": (delivery({**ORDERED, "user_id": 1.0}, type="OrderPlaced"), "user_id"),
    "less than nothing": (delivery({**RESERVED, "amount_cents": -5}, type="StockReserved"), "amount_cents"),
    "another amount": (delivery({**RESERVED, "amount_cents": 4}, type="StockReserved"), "not what the lines cost"),
    "more money than there is": (delivery({**RESERVED, "amount_cents": 10**19}, type="StockReserved"), "amount_cents"),
    "money as a text": (delivery({**RESERVED, "amount_cents": "5"}, type="StockReserved"), "amount_cents"),
    "a client's amount beyond decimals": (
        delivery({"user_id": 1, "product_id": 1, "amount": "1e999999"}, type="PlaceOrder"), "amount must be a decimal"),
    "a client's typing error": (delivery({"user_id": 1, "product_id": 1, "qantity": 2}, type="PlaceOrder"), "qantity"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_wrong_is_refused_with_its_reason(kind: str) -> None:
    bad, reason = REFUSED[kind]
    with pytest.raises(Unreadable) as caught:
        read(bad, LANGUAGE, "rpc")
    assert reason in str(caught.value)


@pytest.mark.parametrize("deadline", [2**41, -1, True, "soon", 5.5, b"x", {}, None, float("inf")])
@pytest.mark.parametrize("trace", ["00-x", 5, None, b"\xff", ["x"]])
def test_what_is_only_information_stops_nobody(deadline: Any, trace: Any) -> None:
    found = context_of(delivery(headers={"deadline": deadline, "traceparent": trace}), "rpc")
    assert (found.deadline, found.traceparent) == (None, None)
    seal(FundsReleased(order_id=ORDER), Answer(), found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["order_id", "user_id", "lines"]), inner),
)
bodies = st.binary() | json_values.map(lambda value: json.dumps(value).encode())


@in_peace
@given(bodies, st.sampled_from([OrderPlaced, StockReserved, FundsReleased, PlaceOrder]))
@example(b'{"order_id": 5e-324}', FundsReleased)
@example(struct.pack(">d", 1.5), FundsReleased)
def test_any_bytes_are_read_or_refused(body: bytes, kind: type[Message]) -> None:
    try:
        found = read(delivery(body, type=kind.__name__), LANGUAGE, "rpc")
    except Unreadable as refused:
        assert str(refused)
    else:
        assert type(found) is kind

"""A channel: what it says to pika for each of its methods, what it makes of the answers, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pika import spec
from pika.exceptions import ChannelClosedByBroker

from patterns.amqp import Cancelled, Delivery, Outgoing, Properties, QueueInfo, Receipt
from patterns.connection_channel import RabbitChannel
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost
from tests.unit.connection.stand_in import Pika, Wire

MESSAGE = Outgoing("e", "key", b"body", Properties(message_id="m"), mandatory=True)
SURE = {"passive": False, "durable": True, "auto_delete": False}


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    for module in ("connection_asking", "connection_channel"):
        monkeypatch.setattr(f"patterns.{module}.ANSWER_SECONDS", 0.2)  # this broker answers at once or not at all
    return Wire()


@pytest.fixture
def channel(wire: Wire) -> RabbitChannel:
    return wire.channel_


@pytest.fixture
def pika(wire: Wire) -> Pika:
    return wire.spoken


Ask = Callable[[RabbitChannel], object]


@pytest.mark.parametrize(("ask", "name", "said"), [
    (lambda it: it.declare_exchange("e", "topic"), "exchange_declare",
     {"exchange": "e", "exchange_type": "topic", **SURE, "arguments": None}),
    (lambda it: it.declare_exchange("e", "topic", durable=False, auto_delete=True, passive=True, arguments={"a": 1}),
     "exchange_declare", {"exchange": "e", "exchange_type": "topic", "passive": True, "durable": False,
                          "auto_delete": True, "arguments": {"a": 1}}),
    (lambda it: it.declare_queue("q"), "queue_declare", {"queue": "q", **SURE, "exclusive": False, "arguments": None}),
    (lambda it: it.declare_queue("q", durable=False, exclusive=True, auto_delete=True, passive=True, arguments={"a": 1}),
     "queue_declare", {"queue": "q", "passive": True, "durable": False, "exclusive": True, "auto_delete": True,
                       "arguments": {"a": 1}}),
    (lambda it: it.bind("q", "e", "key", {"a": 1}), "queue_bind",
     {"queue": "q", "exchange": "e", "routing_key": "key", "arguments": {"a": 1}}),
    (lambda it: it.unbind("q", "e", "key", {"a": 1}), "queue_unbind",
     {"queue": "q", "exchange": "e", "routing_key": "key", "arguments": {"a": 1}}),
    (lambda it: it.delete_queue("q", if_unused=True), "queue_delete", {"queue": "q", "if_unused": True, "if_empty": False}),
    (lambda it: it.delete_exchange("e", if_unused=True), "exchange_delete", {"exchange": "e", "if_unused": True}),
    (lambda it: it.purge("q"), "queue_purge", {"queue": "q"}),
    (lambda it: it.qos(7), "basic_qos", {"prefetch_count": 7}),
    (lambda it: it.ack(3, multiple=True), "basic_ack", {"delivery_tag": 3, "multiple": True}),
    (lambda it: it.nack(3, requeue=False), "basic_nack", {"delivery_tag": 3, "multiple": False, "requeue": False}),
    (lambda it: it.reject(3), "basic_reject", {"delivery_tag": 3, "requeue": False}),
])
def test_each_method_says_its_own_to_the_broker(
    ask: Ask, name: str, said: dict[str, Any], channel: RabbitChannel, pika: Pika
) -> None:
    pika.answers = {"queue_declare": {"queue": "q", "message_count": 0, "consumer_count": 0},
                    "queue_delete": {"message_count": 0}, "queue_purge": {"message_count": 0}}
    ask(channel)
    assert pika.said == [(name, said)]


def test_what_the_broker_counts_is_told(channel: RabbitChannel, pika: Pika) -> None:
    pika.answers = {"queue_declare": {"queue": "named", "message_count": 5, "consumer_count": 2},
                    "queue_delete": {"message_count": 3}, "queue_purge": {"message_count": 4}}
    assert channel.declare_queue("") == QueueInfo("named", 5, 2)
    assert (channel.delete_queue("q"), channel.purge("q")) == (3, 4)


def test_it_opens_in_confirm_mode_and_hears_of_its_end(wire: Wire, channel: RabbitChannel, pika: Pika) -> None:
    assert [name for name, _ in wire.opening] == ["confirm_delivery"] and channel.is_open
    pika.hooks["add_on_close_callback"](pika, ChannelClosedByBroker(404, "no queue"))
    assert not channel.is_open
    with pytest.raises(ChannelClosed, match="404 no queue"):
        channel.qos(1)


def test_many_declarations_are_waited_for_once(channel: RabbitChannel, pika: Pika) -> None:
    with channel.pipeline() as declares:
        declares.declare_exchange("e", "fanout")
        declares.declare_queue("q", arguments={"a": 1})
        declares.declare_queue("plain")
        declares.bind("q", "e", "key")
        assert pika.said == [] and len(declares) == 4  # type: ignore[arg-type]
    assert pika.said == [
        ("exchange_declare", {"exchange": "e", "exchange_type": "fanout", "durable": True}),
        ("queue_declare", {"queue": "q", "durable": True, "arguments": {"a": 1}}),
        ("queue_declare", {"queue": "plain", "durable": True, "arguments": None}),
        ("queue_bind", {"queue": "q", "exchange": "e", "routing_key": "key"}),
        ("exchange_declare", {"exchange": "amq.direct", "passive": True}),
    ]


# -- speaking


def test_each_message_has_its_receipt(wire: Wire, channel: RabbitChannel, pika: Pika) -> None:
    post = wire.post

    def answered(action: Callable[[], object]) -> None:
        post(action)
        pika.hooks["add_on_return_callback"](
            pika, spec.Basic.Return(312, "NO_ROUTE", "e", "key"), spec.BasicProperties(message_id="m"), b"body")
        channel._confirms.answered(SimpleNamespace(method=spec.Basic.Ack(2, True)))

    wire.post = answered  # type: ignore[method-assign]
    assert channel.publish([MESSAGE, Outgoing("e", "key", b"other")]) == [Receipt.RETURNED, Receipt.CONFIRMED]
    assert [(said["body"], said["mandatory"]) for _, said in pika.said] == [(b"body", True), (b"other", True)]


def test_what_was_not_answered_in_time_or_before_the_end_is_unknown(wire: Wire, channel: RabbitChannel) -> None:
    assert channel.publish([MESSAGE], timeout=0) == [Receipt.UNKNOWN]
    wire.lost = "gone"
    assert channel.publish([MESSAGE, MESSAGE]) == [Receipt.UNKNOWN] * 2
    channel.ended(ConnectionLost("gone"))
    with pytest.raises(ConnectionLost, match="gone"):
        channel.publish([])


def test_nothing_to_say_is_not_said(wire: Wire, channel: RabbitChannel) -> None:
    posted: list[object] = []
    wire.post = posted.append  # type: ignore[method-assign]
    assert channel.publish([], timeout=0) == [] == posted


# -- hearing


@pytest.mark.parametrize("auto_ack", [False, True])
def test_what_is_consumed_is_taken_in_order(auto_ack: bool, channel: RabbitChannel, pika: Pika) -> None:
    tag = channel.consume("q", auto_ack=auto_ack, exclusive=True)
    [(name, said)] = pika.said
    deliver = said.pop("on_message_callback")
    assert (name, said) == (
        "basic_consume", {"queue": "q", "auto_ack": auto_ack, "exclusive": True, "consumer_tag": tag})
    assert channel.consumers == {tag: "q"} and channel.consume("q") != tag
    for number in (1, 2, 3):
        deliver(*pika.delivery(number))
        assert channel.take(9, 0) == [] and len(pika.when_read) == 1, "handed over together, and once"
    pika.has_read()
    first, second = channel.take(2, 0)
    assert isinstance(first, Delivery) and isinstance(second, Delivery)
    assert (first.queue, first.consumer, first.tag, second.tag) == ("q", tag, *((None, None) if auto_ack else (1, 2)))
    deliver(*pika.delivery(4))
    pika.has_read()
    assert len(channel.take(9, 0)) == 2 and channel.take(9, 0) == []


def test_whoever_takes_may_be_woken(channel: RabbitChannel) -> None:
    channel.wake()
    assert channel.take(1, None) == []


def test_a_consumer_that_is_stopped_still_gets_what_was_on_its_way(channel: RabbitChannel, pika: Pika) -> None:
    tag = channel.consume("q")
    pika.said[-1][1]["on_message_callback"](*pika.delivery(1))
    taken: list[object] = []
    channel._consumers.stop(pika, lambda _: taken.extend(channel.take(9, 0)), tag)
    assert len(taken) == 1, "also what was read together with the broker's answer"
    assert pika.said[-1] == ("basic_cancel", {"consumer_tag": tag})
    assert channel.consumers == {} and pika._cancelled == {"ours"}, "or pika would give it back"
    channel.cancel(tag)
    assert len(pika.said) == 2, "the broker would not answer a second time"


def test_a_consumer_that_the_broker_ends_is_told_of_once(channel: RabbitChannel, pika: Pika) -> None:
    tag = channel.consume("q")
    for _ in range(2):
        pika.hooks["add_on_cancel_callback"](SimpleNamespace(method=spec.Basic.Cancel(tag)))
    pika.has_read()
    assert channel.take(9, 0) == [Cancelled("q", tag)] and channel.consumers == {}


@pytest.mark.parametrize("auto_ack", [False, True])
def test_one_message_may_be_fetched(auto_ack: bool, wire: Wire, channel: RabbitChannel, pika: Pika) -> None:
    post = wire.post

    def answered(action: Callable[[], object]) -> None:
        post(action)
        pika.hooks["basic_get"](*pika.delivery(5))
        pika.hooks["add_callback"](None)  # whatever comes later is no answer to this

    wire.post = answered  # type: ignore[method-assign]
    found = channel.get("q", auto_ack=auto_ack)
    assert found is not None and (found.queue, found.tag, found.body) == ("q", None if auto_ack else 5, b"body")
    assert pika.said == [("basic_get", {"queue": "q", "auto_ack": auto_ack})]


def test_an_empty_queue_says_so_each_time_and_unasked_it_says_nothing(channel: RabbitChannel, pika: Pika) -> None:
    assert pika.hooked["add_callback"] == {"replies": [spec.Basic.GetEmpty], "one_shot": False}
    pika.hooks["add_callback"](None)


def test_nothing_to_fetch_is_none(wire: Wire, channel: RabbitChannel, pika: Pika) -> None:
    post = wire.post

    def empty(action: Callable[[], object]) -> None:
        post(action)
        pika.hooks["add_callback"](spec.Basic.GetEmpty())

    wire.post = empty  # type: ignore[method-assign]
    assert channel.get("q") is None


# -- the end


def test_nothing_is_acknowledged_on_a_channel_that_is_closing_or_closed(channel: RabbitChannel, pika: Pika) -> None:
    pika.is_open = False
    channel.ack(1)
    assert pika.said == []
    channel.ended(ConnectionLost("gone"))
    with pytest.raises(ConnectionLost, match="gone"):
        channel.ack(1)


def test_the_end_is_told_to_everybody_and_once(wire: Wire, channel: RabbitChannel) -> None:
    channel.consume("q")
    batch = channel._confirms.batch([MESSAGE])
    for why in ("gone", "later"):
        channel.ended(ConnectionLost(why))
    assert wire.forgotten == [channel] and batch.wait(60) == [Receipt.UNKNOWN]
    assert not channel.is_open and channel.consumers == {}
    with pytest.raises(ConnectionLost, match="gone"):
        channel.take(1, None)


def test_closing_waits_for_the_broker_and_may_be_done_twice(wire: Wire, channel: RabbitChannel, pika: Pika) -> None:
    for _ in range(2):
        channel.close()
    assert pika.said == [("close", {})] and not channel.is_open and wire.forgotten == [channel]


def test_a_channel_whose_connection_is_lost_is_closed_already(wire: Wire, channel: RabbitChannel) -> None:
    wire.lost = "gone"
    channel.close()
    with pytest.raises(BrokerUnavailable):
        channel.qos(1)

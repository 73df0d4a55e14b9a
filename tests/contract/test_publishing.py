"""What becomes of a published message, and what arrives of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from patterns.amqp import Delivery, Outgoing, Properties, Receipt
from patterns.errors import ChannelClosed, ConnectionLost
from tests.contract.brokers import Broker
from tests.contract.client import SOON, Client, ended, tag


def test_a_confirmed_message_is_in_its_queue(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    assert client.say(queue, "m") == [Receipt.CONFIRMED]
    found = other.channel.get(queue)
    assert found is not None
    assert found.body == b"m"


def test_receipts_come_in_the_order_of_the_messages(client: Client) -> None:
    queue, full = client.queue(), client.queue(max_length=1, overflow="reject-publish")
    client.said(full, "fills it")
    client.until_count(full, 1)
    outgoing = [
        Outgoing("", queue, b"1"), Outgoing("", client.fresh("nowhere"), b"2"), Outgoing("", full, b"3"),
        Outgoing("", client.fresh("nowhere"), b"4", mandatory=False), Outgoing("", queue, b"5"),
    ]
    assert client.channel.publish(outgoing) == [
        Receipt.CONFIRMED, Receipt.RETURNED, Receipt.REFUSED, Receipt.CONFIRMED, Receipt.CONFIRMED
    ]
    assert client.drain(queue) == ["1", "5"]


def test_equal_messages_each_have_their_receipt(client: Client) -> None:
    queue, nowhere = client.queue(), client.fresh("nowhere")
    twin, lost = Outgoing("", queue, b"m"), Outgoing("", nowhere, b"m")
    unwanted = replace(lost, mandatory=False)
    assert client.channel.publish([twin, lost, twin, unwanted, lost]) == [
        Receipt.CONFIRMED, Receipt.RETURNED, Receipt.CONFIRMED, Receipt.CONFIRMED, Receipt.RETURNED
    ]


def test_publishing_nothing_is_done_at_once(client: Client) -> None:
    assert client.channel.publish([]) == []


def test_several_threads_may_publish_on_one_channel(client: Client, kind: str) -> None:
    queue, nowhere = client.queue(kind), client.fresh("nowhere")

    def publish(thread: int) -> list[Receipt]:
        receipts: list[Receipt] = []
        for batch in range(10):
            receipts += client.channel.publish([
                Outgoing("", nowhere if number == thread else queue, f"{thread}-{batch}-{number}".encode())
                for number in range(8)
            ])
        return receipts

    with ThreadPoolExecutor(4) as pool:
        for thread, receipts in enumerate(pool.map(publish, range(4))):
            expected = [Receipt.RETURNED if number == thread else Receipt.CONFIRMED for number in range(8)]
            assert receipts == expected * 10
    bodies = client.drain(queue)
    assert len(bodies) == 4 * 10 * 7
    for thread in range(4):
        own = [[int(part) for part in body.split("-")] for body in bodies if body.startswith(f"{thread}-")]
        assert own == sorted(own)


def test_publishing_to_a_missing_exchange_closes_the_channel(client: Client) -> None:
    queue = client.queue()
    receipts = client.channel.publish([
        Outgoing("", queue, b"before"), Outgoing(client.fresh("no exchange"), "k", b"m"), Outgoing("", queue, b"after")
    ])
    # RabbitMQ need not confirm what came before it closes the channel; what comes after is ignored.
    assert receipts[0] in (Receipt.CONFIRMED, Receipt.UNKNOWN)
    assert receipts[1:] == [Receipt.UNKNOWN, Receipt.UNKNOWN]
    assert ended(client.channel).code == 404
    with pytest.raises(ChannelClosed):
        client.say(queue, "too late")
    client.again()
    assert client.drain(queue) == ["before"]


def without_count(found: Delivery) -> Properties:
    """A message from a quorum queue may say that it was given back 0 times, or say nothing of it."""
    headers = dict(found.properties.headers)
    if headers.get("x-delivery-count") == 0:
        del headers["x-delivery-count"]
    return replace(found.properties, headers=headers)


def test_a_message_arrives_as_it_was_sent(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    properties = Properties(
        message_id="id", type="order.placed", correlation_id="corr", app_id="order", timestamp=1_700_000_000,
        content_type="text/plain", reply_to="somewhere", expiration="60000", persistent=False,
    )
    body = bytes(range(256)) * 1000  # several frames
    assert client.channel.publish([Outgoing("", queue, body, properties)]) == [Receipt.CONFIRMED]
    found = client.get(queue)
    assert found.body == body
    assert without_count(found) == properties


def test_what_a_message_does_not_say_it_does_not_say(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    properties = Properties(content_type=None)
    assert client.channel.publish([Outgoing("", queue, b"", properties)]) == [Receipt.CONFIRMED]
    found = client.get(queue)
    assert (found.body, without_count(found)) == (b"", properties)


EVERY_TYPE: dict[str, Any] = {
    "text": "größer als 5 €", "empty": "", "bytes": b"\x00\xff", "yes": True, "no": False, "zero": 0, "less": -5,
    "int32": 2**31 - 1, "int64": -(2**63), "decimal": Decimal("12.34"), "none": None,
    "when": datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC), "list": [1, "two", [None, True], {"three": 3}], "nothing": [],
    "table": {"deep": {"deeper": [b"bytes", Decimal("-0.5")]}, "empty": {}}, "ключ": "a key that is not ASCII",
}


def test_headers_of_every_type_arrive_as_they_were(client: Client, kind: str) -> None:
    queue = client.queue(kind)
    client.said(queue, "m", headers=EVERY_TYPE)
    headers = without_count(client.get(queue)).headers
    assert headers == EVERY_TYPE
    assert {name: type(value) for name, value in headers.items()} == {
        name: type(value) for name, value in EVERY_TYPE.items()
    }


def test_what_arrives_is_the_receivers_own(client: Client) -> None:
    queue = client.queue()
    mine = {"list": [1], "table": {"a": 1}}
    client.said(queue, "m", headers=mine)
    mine["list"].append(2)  # type: ignore[attr-defined]
    found = client.get(queue)
    found.properties.headers["table"]["a"] = 2
    client.channel.reject(tag(found), requeue=True)
    assert client.get(queue).properties.headers == {"list": [1], "table": {"a": 1}}


NOT_FOR_THE_WIRE: list[Outgoing] = [
    Outgoing("", "k" * 256, b"m"), Outgoing("e" * 256, "k", b"m"), Outgoing("", "k", b"m", Properties(message_id="ä" * 128)),
    Outgoing("", "k", b"m", Properties(correlation_id="c" * 256)), Outgoing("", "k", b"m", Properties(headers={"f": 0.5})),
    Outgoing("", "k", b"m", Properties(headers={"i": 2**63})), Outgoing("", "k", b"m", Properties(headers={"o": object()})),
    Outgoing("", "k", b"m", Properties(headers={"k" * 256: 1})), Outgoing("", "k", b"m", Properties(timestamp=-1)),
    Outgoing("", "k", b"m", Properties(headers={"deep": [{"list": [0.5]}]})), Outgoing("", "\ud800", b"m"),
    Outgoing("", "k", b"m", Properties(headers={"d": Decimal(2**31)})),
]


@pytest.mark.parametrize("misfit", NOT_FOR_THE_WIRE, ids=range(len(NOT_FOR_THE_WIRE)))
def test_a_message_that_cannot_be_sent_is_its_publishers_mistake_alone(client: Client, misfit: Outgoing) -> None:
    queue = client.queue()
    with pytest.raises(ValueError, match="AMQP cannot carry this"):
        client.channel.publish([Outgoing("", queue, b"before"), misfit, Outgoing("", queue, b"after")])
    client.said(queue, "next")  # the channel works as if nothing had happened: no receipt went to the wrong message
    assert client.say(client.fresh("nowhere"), "m") == [Receipt.RETURNED]
    assert client.drain(queue) in (["next"], ["before", "next"])  # what stood before it may have been sent already


def test_a_connection_cut_while_publishing_leaves_some_unknown(broker: Broker, connect: Any, client: Client) -> None:
    queue = client.queue()
    shaky = connect(shaky=True)
    receipts: list[Receipt] = []
    begun = threading.Event()

    def publish() -> None:
        while True:
            bodies = [str(len(receipts) + number) for number in range(50)]
            receipts.extend(shaky.say(queue, *bodies))
            begun.set()

    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish)
        assert begun.wait(SOON)
        broker.cut()
        with pytest.raises(ConnectionLost):
            publishing.result(SOON)
    assert set(receipts) <= {Receipt.CONFIRMED, Receipt.UNKNOWN}
    assert not shaky.connection.is_open
    confirmed = {str(number) for number, receipt in enumerate(receipts) if receipt is Receipt.CONFIRMED}
    assert confirmed
    assert confirmed <= set(client.drain(queue))


def test_after_the_connection_broke_everything_says_so(broker: Broker, connect: Any, client: Client) -> None:
    queue = client.queue()
    shaky = connect(shaky=True)
    shaky.channel.consume(queue)
    with ThreadPoolExecutor(1) as pool:
        taking = pool.submit(shaky.channel.take, 10, SOON)
        broker.cut()
        with pytest.raises(ConnectionLost):
            taking.result(SOON)
    channel = shaky.channel
    for use in (
        lambda: shaky.say(queue, "m"), lambda: channel.take(1, 0), lambda: channel.ack(1), lambda: channel.nack(1),
        lambda: channel.reject(1), lambda: channel.get(queue), lambda: channel.declare_queue(queue, passive=True),
        lambda: channel.consume(queue), lambda: channel.qos(1), lambda: channel.purge(queue), shaky.connection.channel,
    ):
        with pytest.raises(ConnectionLost):
            use()
    channel.wake()
    channel.close()
    shaky.connection.close()
    shaky.connection.close()
    assert not channel.is_open

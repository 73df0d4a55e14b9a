"""Incidents that are the broker's own doing, on a real RabbitMQ: with the guarantee, and without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.shop import know_all, wirings_of
from patterns import topology
from patterns.amqp import DIRECT_REPLY_TO, Channel, Delivery, Outgoing, Properties, Receipt
from patterns.connection import RabbitConnection, RabbitTransport
from patterns.errors import ChannelClosed
from patterns.settings import configure, settings

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

SOON = 20.0


@pytest.fixture
def connection(rabbitmq_url: str) -> Iterator[RabbitConnection]:
    configure(rabbitmq_url=rabbitmq_url)
    made = RabbitTransport(rabbitmq_url).connect("incident")
    yield made
    made.close()


def one(channel: Channel) -> Delivery:
    """The next delivery."""
    [delivery] = channel.take(1, SOON)
    assert isinstance(delivery, Delivery)
    return delivery


def say(channel: Channel, exchange: str, key: str, **more: Any) -> Receipt:
    [receipt] = channel.publish([Outgoing(exchange, key, b"{}", Properties(message_id="1", type="Word", **more))])
    return receipt


@pytest.mark.parametrize("guaranteed", [True, False])
def test_a_message_delivered_too_often_is_kept(connection: RabbitConnection, guaranteed: bool,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    """https://github.com/rabbitmq/rabbitmq-server/issues/11937: a limit without a dead-letter exchange drops."""
    monkeypatch.setattr(topology, "DELIVERY_LIMIT", 1)
    arguments = dict(topology.main_arguments("product", settings()))
    if not guaranteed:
        arguments = {name: value for name, value in arguments.items() if not name.startswith("x-dead-letter")}
    channel = connection.channel()
    topology.declare_queue(channel, "product.dead", topology.aside_arguments(settings()), settings())
    topology.declare_queue(channel, "product.reserve", arguments, settings())
    assert say(channel, "", "product.reserve") is Receipt.CONFIRMED
    channel.consume("product.dead")
    tag = channel.consume("product.reserve")
    for _ in range(2):
        channel.reject(one(channel).tag or 0, requeue=True)
    found = channel.take(1, SOON if guaranteed else 1.0)
    channel.cancel(tag)
    assert [item.queue for item in found] == (["product.dead"] if guaranteed else [])


@pytest.mark.parametrize("guaranteed", [True, False])
def test_an_answer_is_heard_where_the_question_was_asked(connection: RabbitConnection, guaranteed: bool) -> None:
    """https://github.com/rabbitmq/rabbitmq-website/issues/1340: request and reply queue on two channels."""
    asking, serving = connection.channel(), connection.channel()
    asking.declare_queue("incident.questions")
    serving.consume("incident.questions")
    hearing = asking if guaranteed else connection.channel()
    hearing.consume(DIRECT_REPLY_TO, auto_ack=True)
    if not guaranteed:
        with pytest.raises(ChannelClosed, match="fast reply consumer does not exist"):
            say(asking, "", "incident.questions", reply_to=DIRECT_REPLY_TO)
            asking.take(1, SOON)
        return
    assert say(asking, "", "incident.questions", reply_to=DIRECT_REPLY_TO) is Receipt.CONFIRMED
    reply_to = one(serving).properties.reply_to
    serving.publish([Outgoing("", reply_to or "", b"{}", Properties(message_id="2"), mandatory=False)])
    assert one(hearing).queue == DIRECT_REPLY_TO


@pytest.mark.parametrize("guaranteed", [True, False])
def test_who_starts_late_hears_what_was_said_before(connection: RabbitConnection, guaranteed: bool,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """https://github.com/dotnet-architecture/eShopOnContainers/issues/701: said before anybody subscribed."""
    know_all()
    if not guaranteed:  # each service declares its own queues, when it starts
        monkeypatch.setattr(topology, "_known", {name: wirings_of(name) for name in ("order", "product")})
    early = connection.channel()
    topology.declare_known(early)
    assert say(early, "orderflow.topic", "order.placed") is Receipt.CONFIRMED  # product's queue took it
    late = connection.channel()
    topology.declare(late, "notification", wirings_of("notification"))
    late.consume("notification.topic")
    assert len(late.take(1, SOON if guaranteed else 1.0)) == guaranteed

"""A handler that fails is tried again, then parked; a server that is away is waited for; nothing else stops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from lab.books import database_of
from lab.local import LocalShop
from patterns import settings as settings_module
from patterns import topology
from patterns.amqp import Channel, Delivery
from patterns.errors import ConnectionLost, DatabaseUnavailable
from patterns.journal import inbox
from patterns.settings import settings
from patterns.shop import order_id_for
from patterns.transport import transport
from product import crud
from tests.flows.words import Words, key_for, until

RPC_WAIT_SECONDS = 0.5


@pytest.fixture
def channel() -> Iterator[Channel]:
    connection = transport().connect("test")
    yield connection.channel()
    connection.close()


class Failing:
    """The product service's ``reserve``, failing so many times for one order, or for the first it sees."""

    def __init__(self, times: int, error: Exception, victim: object = None) -> None:
        self.times, self.error, self.real, self.victim = times, error, crud.reserve, victim

    def __call__(self, session: Any, order_id: Any, *arguments: Any) -> str | None:
        self.victim = self.victim or order_id
        if order_id == self.victim and self.times > 0:
            self.times -= 1
            raise self.error
        return self.real(session, order_id, *arguments)


@pytest.mark.whole(shop="real", words=("default", "fanout", "direct", "saga"))
def test_a_handler_that_fails_is_tried_again(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, chair = words.customer(5_000), words.goods(1_000, 5)
    failing = Failing(3, RuntimeError("a passing fault"))
    monkeypatch.setattr(crud, "reserve", failing)
    assert words.settled(words.order(ada, {chair: 1}))["status"] == "SUCCESS"
    words.quiet()
    assert failing.times == 0
    assert words.stock(chair) == (4, 0, 1)


@pytest.mark.whole(shop="real", words=("default", "fanout", "direct", "saga"))
def test_a_handler_that_always_fails_has_its_message_parked(
    words: Words, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, chair = words.customer(5_000), words.goods(1_000, 5)
    with monkeypatch.context() as broken:
        key = key_for(ada)
        broken.setattr(crud, "reserve", Failing(100, RuntimeError("nobody can do this"), order_id_for(ada, key)))
        bad, good = words.order(ada, {chair: 1}, key), words.order(ada, {chair: 1})
        assert words.settled(good)["status"] == "SUCCESS"
        parked = until(lambda: channel.get(topology.parked_queue("product"), auto_ack=True), "it is parked")
    assert parked.properties.headers["parked_because"] == "failed 4 times, at last: RuntimeError: nobody can do this"
    words.deadline_passes(bad)
    assert words.settled(bad)["status"] == "FAILED"
    words.quiet()
    while channel.get(topology.parked_queue("product"), auto_ack=True):
        assert words.mode == "rpc"  # the relay asked again until the order was cancelled
    assert (words.money(ada), words.stock(chair)) == ((4_000, 0, 1_000), (4, 0, 1))


@pytest.mark.whole(shop="real", words=("default", "fanout", "direct", "saga"))
def test_a_database_that_is_away_burns_no_attempts(
    words: Words, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, chair = words.customer(5_000), words.goods(1_000, 5)
    failing = Failing(3, DatabaseUnavailable("away for a moment"))
    monkeypatch.setattr(crud, "reserve", failing)
    order_id = words.order(ada, {chair: 1})
    assert words.settled(order_id)["status"] == "SUCCESS"
    words.quiet()
    assert failing.times == 0
    assert channel.get(topology.parked_queue("product")) is None


@pytest.mark.parametrize("mode", ["topic", "default"])  # two kinds of queues; the rest is the broker's
def test_a_message_the_broker_gave_up_is_sent_back(shop: LocalShop, channel: Channel, mode: str) -> None:
    """A consumer that crashes again and again uses up the deliveries even of a healthy message."""
    words = Words(shop, mode)
    ada, chair = words.customer(5_000), words.goods(1_000, 5)
    queue = {"default": "product.reserve", "topic": "product.topic"}[mode]
    words.shop.stop("product")
    try:
        order_id = words.order(ada, {chair: 1})
        channel.qos(10)
        channel.consume(queue)
        count = 0
        while count <= topology.DELIVERY_LIMIT:
            for delivery in channel.take(10, 30):
                assert isinstance(delivery, Delivery)
                count += 1
                channel.reject(delivery.tag or 0, requeue=True)
        until(lambda: channel.declare_queue(topology.dead_queue("product"), passive=True).messages, "the broker gives up")
    finally:
        channel.close()
        words.shop.start("product")
    assert words.settled(order_id)["status"] == "SUCCESS"
    words.quiet()
    heard = select(inbox).where(inbox.c.order_id == order_id, inbox.c.type == "OrderPlaced")
    assert len(database_of("product").read(lambda session: list(session.execute(heard)))) == 1


@pytest.mark.whole(shop="real")
def test_the_neighbours_of_a_message_that_ends_its_consumer_come_through(
    shop: LocalShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken along each time, they would use up their deliveries and be given up with it, healthy as they are."""
    monkeypatch.setattr(settings_module, "_current", settings().model_copy(update={"order_deadline_seconds": 3600}))
    words = Words(shop, "topic")
    ada, chair = words.customer(100_000), words.goods(1_000, 50)
    shop.stop("product")
    try:
        placed = [words.order(ada, {chair: 1}) for _ in range(25)]
    finally:
        failing = Failing(60, ConnectionLost("the consumer ends here"))
        failing.victim = deadly = placed.pop(12)
        monkeypatch.setattr(crud, "reserve", failing)
        shop.start("product")
    assert {words.settled(order)["status"] for order in placed} == {"SUCCESS"}
    assert words.look(deadly)["status"] == "PROCESSING"
    failing.times = 0
    assert words.settled(deadly)["status"] == "SUCCESS"
    words.quiet()
    assert not {"parked", "sent_back"} & shop.service("product").listener.counts.keys()

"""A handler may take longer than any heartbeat: its connection stays, and its message is not delivered to another."""

from __future__ import annotations

import threading

import pytest

from lab.servers import PrivateRabbitMQ
from patterns.connection_channel import RabbitChannel
from tests.faults.conftest import OpenShop
from tests.faults.trade import look, ready
from tests.flows.words import Words, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

HEARTBEAT = 3
"""Seconds.  RabbitMQ hangs up on who is silent for two of these, or a little more."""


@pytest.mark.whole
def test_a_handler_of_several_heartbeats_keeps_its_connection_and_its_message(
    open_shop: OpenShop, private_rabbitmq: PrivateRabbitMQ, vhost: str
) -> None:
    url = f"{private_rabbitmq.url(vhost)}?heartbeat={HEARTBEAT}"
    with open_shop(rabbitmq_url=url, gateway_latency_seconds=4 * HEARTBEAT, order_deadline_seconds=600) as shop:
        until(lambda: ready(shop), "the shop is ready")
        words = [Words(shop, mode) for mode in ("topic", "default")]
        ada, chair = words[0].customer(100_000), words[0].goods(1_000, 50)
        before = look(shop, "payment")["connections"]
        placed = [one.order(ada, {chair: 1}) for one in words]
        assert {words[0].settled(order)["status"] for order in placed} == {"SUCCESS"}
        after = look(shop, "payment")
        assert after["connections"] == before, "it is the same connection"
        assert after["counts"]["redelivered"] == 0
        words[0].quiet()


@pytest.mark.whole
def test_it_is_the_connections_own_thread_that_keeps_it(
    open_shop: OpenShop, private_rabbitmq: PrivateRabbitMQ, vhost: str
) -> None:
    """The same wait on that thread, as a consumer's callback in pika would be, and RabbitMQ hangs up."""
    url = f"{private_rabbitmq.url(vhost)}?heartbeat={HEARTBEAT}"
    with open_shop(rabbitmq_url=url) as shop:
        until(lambda: ready(shop), "the shop is ready")
        link, over = shop.service("payment").listener.link, threading.Event()
        channel, before = link.channel(), link.since
        assert isinstance(channel, RabbitChannel)
        channel._thread.post(lambda: over.wait(60))
        until(lambda: "payment.ears" not in private_rabbitmq.eval(
            "rabbit_networking:connection_info_all([client_properties])."), "RabbitMQ hangs up")
        over.set()
        until(lambda: link.since > before and link.trouble is None, "it is connected again")

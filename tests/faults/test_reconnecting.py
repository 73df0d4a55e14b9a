"""However a connection ends: it is made again, the topology with it, every consumer is back, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.faults.proxy import Proxy
from lab.local import LocalShop
from lab.servers import PrivateRabbitMQ
from patterns.amqp import Channel
from patterns.errors import BrokerUnavailable, ChannelClosed
from patterns.link import Link
from patterns.shop import SERVICES
from patterns.transport import transport
from tests.faults.conftest import OpenShop
from tests.faults.trade import Trade, look, ready, watch
from tests.flows.words import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


def links(shop: LocalShop) -> dict[str, Link]:
    """Every connection the shop has."""
    return {
        link.name: link for name in SERVICES
        for link in (shop.service(name).listener.link, shop.service(name).voice.link)
    }


def all_made_again(shop: LocalShop, before: dict[str, float]) -> bool:
    return all(link.since > before[name] and link.trouble is None for name, link in links(shop).items())


def restarted_in_order(node: PrivateRabbitMQ, _: LocalShop) -> None:
    node.restart()


def killed_and_started(node: PrivateRabbitMQ, _: LocalShop) -> None:
    node.write_down()
    node.restart(crash=True)


def cut_off_by_an_operator(node: PrivateRabbitMQ, _: LocalShop) -> None:
    assert node.close_all_connections() >= 2 * len(SERVICES)


def every_channel_closed_by_the_broker(_: PrivateRabbitMQ, shop: LocalShop) -> None:
    """406 PRECONDITION_FAILED: the same delivery acknowledged twice, in effect."""
    for link in links(shop).values():
        link.channel().ack(999_999)


ENDS = (restarted_in_order, killed_and_started, cut_off_by_an_operator, every_channel_closed_by_the_broker)


@pytest.mark.whole(ends=(restarted_in_order, killed_and_started, every_channel_closed_by_the_broker))
@pytest.mark.parametrize("ends", ENDS)
def test_every_connection_is_made_again_and_nothing_is_lost(
    ends: Callable[[PrivateRabbitMQ, LocalShop], None], open_shop: OpenShop, private_rabbitmq: PrivateRabbitMQ
) -> None:
    with open_shop() as shop:
        until(lambda: ready(shop), "the shop is ready")
        before = {name: link.since for name, link in links(shop).items()}
        trade = Trade(shop)
        trade.go_on(8)
        with watch(shop) as seen:
            ends(private_rabbitmq, shop)
            trade.go_on(8)
            until(lambda: all_made_again(shop, before), "every connection is made again")
        assert seen.red, "nobody said that anything was wrong"
        until(lambda: ready(shop), "every consumer is back")
        trade.ends_well()


# -- consumers that the broker cancels


def hijack(channel: Channel, queue: str) -> bool:
    """Delete a queue and declare another under its name, before its service does; False when that was quicker."""
    channel.delete_queue(queue)
    try:
        channel.declare_queue(queue, arguments={"x-queue-type": "classic"})
    except ChannelClosed:
        return False
    return True


def test_a_deleted_queue_is_declared_again_and_its_consumer_is_back(open_shop: OpenShop) -> None:
    with open_shop() as shop:
        until(lambda: ready(shop), "the shop is ready")
        trade = Trade(shop)
        for service, queue in (("product", "product.topic"), ("user", "user_check"), ("payment", "payment.process")):
            before = shop.service(service).listener.link.since
            connection = transport().connect("an operator")
            connection.channel().delete_queue(queue)
            connection.close()
            until(lambda name=service, then=before: shop.service(name).listener.link.since > then, "it is noticed")
            until(lambda: ready(shop), "the consumer is back")
        trade.ends_well()


def test_a_consumer_that_cannot_come_back_is_told_until_it_can(open_shop: OpenShop) -> None:
    with open_shop() as shop:
        until(lambda: ready(shop), "the shop is ready")
        connection = transport().connect("an operator")
        until(lambda: hijack(connection.channel(), "product.topic"), "the queue is another's")
        told = until(lambda: (told := look(shop, "product"))["troubles"].get("ears", "").count("406") and told, "it is told")
        assert told["status"] == "not ready"
        assert not told["queues"]["product.topic"]
        assert look(shop, "user")["status"] == "ready"
        assert look(shop, "product")["since"] == look(shop, "product")["since"], "since when, not since you ask"
        connection.channel().delete_queue("product.topic")
        connection.close()
        until(lambda: ready(shop), "the queue is declared, and its consumer is back")
        Trade(shop, orders=4).ends_well()


def test_the_whole_topology_is_there_again_after_the_virtual_host_was_emptied(
    open_shop: OpenShop, private_rabbitmq: PrivateRabbitMQ, vhost: str
) -> None:
    with open_shop() as shop:
        until(lambda: ready(shop), "the shop is ready")
        private_rabbitmq.delete_vhost(vhost)
        until(lambda: "virtual host" in look(shop, "order")["troubles"].get("voice", ""), "it is told why")
        private_rabbitmq.create_vhost(vhost)
        until(lambda: ready(shop), "everything is declared again")
        Trade(shop, orders=4).ends_well()


# -- brokers that are there and do nothing


@pytest.mark.parametrize("patience", [30, 1])
@pytest.mark.whole
def test_a_broker_that_blocks_publishers_is_waited_for(
    patience: int, open_shop: OpenShop, private_rabbitmq: PrivateRabbitMQ, vhost: str
) -> None:
    url = f"{private_rabbitmq.url(vhost)}?blocked_connection_timeout={patience}"
    with open_shop(rabbitmq_url=url) as shop:
        until(lambda: ready(shop), "the shop is ready")
        trade = Trade(shop)
        trade.go_on(4)
        private_rabbitmq.raise_memory_alarm()
        trade.go_on(8)
        blocked = "takes no messages" if patience == 30 else "memory or disk full"
        until(lambda: blocked in look(shop, "order")["troubles"].get("voice", ""), "it is told that nothing is taken")
        private_rabbitmq.raise_memory_alarm(False)
        until(lambda: ready(shop), "messages are taken again")
        trade.ends_well()


@pytest.mark.whole
def test_a_line_that_passes_nothing_on_is_noticed_and_given_up(
    open_shop: OpenShop, private_rabbitmq: PrivateRabbitMQ, vhost: str
) -> None:
    quick = "heartbeat=2&socket_timeout=2&stack_timeout=2"
    with Proxy(private_rabbitmq.url(vhost)) as proxy, open_shop(rabbitmq_url=f"{proxy.url}?{quick}") as shop:
        until(lambda: ready(shop), "the shop is ready")
        before = {name: link.since for name, link in links(shop).items()}
        trade = Trade(shop)
        trade.go_on(8)
        with watch(shop) as seen:
            proxy.fall_silent()
            trade.go_on(8)
            until(lambda: not seen.never_red, "every service notices")
            until(lambda: not any(link.connected for link in links(shop).values()), "every connection is given up")
            proxy.heal()
            until(lambda: all_made_again(shop, before), "every connection is made again")
        until(lambda: ready(shop), "every consumer is back")
        trade.ends_well()


@pytest.mark.whole
def test_a_stop_waits_for_nobody_who_is_only_connecting(
    open_shop: OpenShop, private_rabbitmq: PrivateRabbitMQ, vhost: str, tmp_path: Path
) -> None:
    with Proxy(private_rabbitmq.url(vhost)) as proxy:
        proxy.fall_silent()  # it accepts, and says nothing: a connection attempt takes long to fail
        with open_shop(rabbitmq_url=f"{proxy.url}?socket_timeout=60&stack_timeout=60") as shop:
            link = shop.service("product").listener.link
            with pytest.raises(BrokerUnavailable):
                link.channel()
            assert link.stop(timeout=60)
            assert not link.connected
            for service in SERVICES:
                assert shop.service(service).stop()

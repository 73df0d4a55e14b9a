"""Topology: make the addresses exist before anybody speaks.

::

    exchange ──(binding)── {service}.{mode} ── service        fanout, direct, topic, saga
                           product.reserve  ── service        default and rpc: the queue is the address
           nobody acks it 1,000 times ──> {service}.dead ── the service sends it back to where it was
                     a handler raises ──> orderflow.retry.N ── after N ms back to its own queue
           it can never be handled, or was retried too often ──> {service}.parked ── people

Every queue is durable and named, so a service that is down loses nothing.  Declaring what is there changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from patterns.amqp import Channel, Declares
from patterns.settings import Settings, settings
from patterns.wiring import Wiring

DELIVERY_LIMIT = 1000
"""Deliveries after which a quorum queue gives a message up.

High, because a crashing consumer uses up the count of every message it had prefetched, also the healthy ones
(https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling); poison is bounded by our own retries.
"""


NO_LIMIT = 10**9
"""Deliveries a parked message survives: somebody may look at it every second for thirty years."""


def parked_queue(service: str) -> str:
    """Where a service's unreadable and unmanageable messages wait for a person."""
    return f"{service}.parked"


def dead_queue(service: str) -> str:
    """Where the broker puts messages it gave up delivering; the service sends them back by itself."""
    return f"{service}.dead"


def retry_exchange(delay_seconds: float) -> str:
    """Publish here, with your own queue as routing key, and the message comes back to it after the delay."""
    return f"orderflow.retry.{round(delay_seconds * 1000)}"


def heard_queues(service: str, wirings: Mapping[str, Wiring]) -> dict[str, str]:
    """The queues a service reads, and the mode that each belongs to."""
    return {queue: mode for mode, wiring in wirings.items() for queue in wiring.needs(service).queues}


_known: dict[str, Mapping[str, Wiring]] = {}


def know(service: str, wirings: Mapping[str, Wiring]) -> None:
    """Remember a service of this shop, so that whoever connects declares its queues too.

    A message said before a hearer's queue is bound would be lost to that hearer: ``mandatory`` only tells when *no*
    queue is there.  So a shop's queues must all exist before the first message; ``orderflow`` knows all services.
    """
    _known[service] = wirings


def declare_known(channel: Channel) -> None:
    """Make everything exist that the services known to this process hear or say; waits for the broker once."""
    with channel.pipeline() as declares:
        _declare_retries(declares)
        for service, wirings in _known.items():
            _declare_own(declares, service, wirings)


def declare(channel: Channel, service: str, wirings: Mapping[str, Wiring]) -> None:
    """Make everything this service hears or says exist: exchanges, its queues, bindings, retries, parking."""
    with channel.pipeline() as declares:
        _declare_retries(declares)
        _declare_own(declares, service, wirings)


def _declare_own(channel: Declares, service: str, wirings: Mapping[str, Wiring]) -> None:
    config = settings()
    declare_queue(channel, parked_queue(service), aside_arguments(config), config)
    declare_queue(channel, dead_queue(service), aside_arguments(config), config)
    arguments = main_arguments(service, config)
    needs = [wiring.needs(service) for wiring in wirings.values()]
    for queue in dict.fromkeys(chain.from_iterable(need.queues for need in needs)):
        declare_queue(channel, queue, arguments, config)
    for name, kind in dict.fromkeys(chain.from_iterable(need.exchanges for need in needs)):
        channel.declare_exchange(name, kind)
    for binding in dict.fromkeys(chain.from_iterable(need.bindings for need in needs)):
        channel.bind(*binding)


def main_arguments(service: str, config: Settings) -> dict[str, Any]:
    """What a queue that feeds handlers is declared with: nothing it holds is ever dropped."""
    dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead_queue(service)}
    if config.queue_type == "classic":
        return dead
    return {**dead, **SAFELY_DEAD_LETTERED, "x-delivery-limit": DELIVERY_LIMIT}


def aside_arguments(config: Settings) -> dict[str, Any]:
    """What a parked or dead queue is declared with: nothing comes after it, so it must give nothing up.

    Since RabbitMQ 4.0 a quorum queue without a limit of its own drops a message after 20 deliveries
    (https://www.rabbitmq.com/docs/quorum-queues#position-in-queue), and looking at a parked message is a delivery.
    """
    return {} if config.queue_type == "classic" else {"x-delivery-limit": NO_LIMIT}


SAFELY_DEAD_LETTERED = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
"""Quorum queues only: a dead letter leaves its queue when the next one has it, not before
(https://www.rabbitmq.com/docs/quorum-queues#dead-lettering)."""


def _declare_retries(channel: Declares) -> None:
    config = settings()
    for delay in config.retry_delays_seconds:
        name = retry_exchange(delay)
        # Without a dead-letter routing key the message keeps its own: the queue it comes back to.
        arguments: dict[str, Any] = {"x-message-ttl": round(delay * 1000), "x-dead-letter-exchange": ""}
        if config.queue_type == "quorum":
            arguments |= SAFELY_DEAD_LETTERED
        channel.declare_exchange(name, "fanout")
        declare_queue(channel, name, arguments, config)
        channel.bind(name, name)


def declare_queue(channel: Declares, name: str, arguments: Mapping[str, Any], config: Settings) -> None:
    """Make a durable queue of the configured type."""
    channel.declare_queue(name, arguments={"x-queue-type": config.queue_type, **arguments})

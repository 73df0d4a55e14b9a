"""How many messages wait in each queue of the shop, on whichever broker it uses, and how many read it."""

from __future__ import annotations

from lab.shop import all_queues
from patterns.amqp import Channel, QueueInfo
from patterns.broker import EmbeddedTransport
from patterns.broker.journal import Journal
from patterns.errors import ChannelClosed
from patterns.settings import settings
from patterns.transport import current, transport


def queue_depths() -> dict[str, int]:
    """Ready messages by queue.

    The embedded broker of another process is read from its journal, which counts what is in flight as well.
    """
    if settings().rabbitmq_url:
        return {info.name: info.messages for info in _asked()}
    running = current()
    if isinstance(running, EmbeddedTransport):
        return {name: ready + unacked for name, (ready, unacked, _) in running.queues().items()}
    return {name: len(messages) for name, messages in Journal.read(settings().orderflow_home / "broker").items()}


def consumers_by_queue() -> dict[str, int]:
    """How many consumers each queue has on the configured RabbitMQ; a queue that is not there is left out."""
    return {info.name: info.consumers for info in _asked()}


def _asked() -> list[QueueInfo]:
    """What the broker says of every queue that is there."""
    connection, found = transport().connect("orderflow.queues"), []
    channel: Channel | None = None
    try:
        for name in all_queues():
            channel = channel or connection.channel()
            try:
                found.append(channel.declare_queue(name, passive=True))
            except ChannelClosed:
                channel = None  # there is no such queue, and asking for it ends the channel
    finally:
        connection.close()
    return found

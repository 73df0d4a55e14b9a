"""How many messages wait in each queue of the shop, on whichever broker it uses, and how many read it."""

from __future__ import annotations

from lab.shop import all_queues
from patterns.amqp import Connection, QueueInfo
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
    connection = transport().connect("orderflow.queues")
    try:
        return [info for name in all_queues() if (info := _info(connection, name)) is not None]
    finally:
        connection.close()


def _info(connection: Connection, name: str) -> QueueInfo | None:
    """What the broker says of a queue; None when there is none (which closes the channel, so it has its own)."""
    channel = connection.channel()
    try:
        return channel.declare_queue(name, passive=True)
    except ChannelClosed:
        return None
    finally:
        channel.close()

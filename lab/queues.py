"""How many messages wait in each queue of the shop, on whichever broker it uses."""

from __future__ import annotations

from lab.shop import all_queues
from patterns.amqp import Connection
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
        return _asked()
    running = current()
    if isinstance(running, EmbeddedTransport):
        return {name: ready + unacked for name, (ready, unacked, _) in running.queues().items()}
    return {name: len(messages) for name, messages in Journal.read(settings().orderflow_home / "broker").items()}


def _asked() -> dict[str, int]:
    connection = transport().connect("orderflow.queues")
    try:
        return {name: depth for name in all_queues() if (depth := _depth(connection, name)) is not None}
    finally:
        connection.close()


def _depth(connection: Connection, name: str) -> int | None:
    """A queue's ready messages; None when there is no such queue (which closes the channel, so it has its own)."""
    channel = connection.channel()
    try:
        return channel.declare_queue(name, passive=True).messages
    except ChannelClosed:
        return None
    finally:
        channel.close()

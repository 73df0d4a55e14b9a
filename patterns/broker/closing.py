"""The machine's endings: channels close, consumers leave, queues are deleted; and the refusals that cause some of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from patterns.broker.data import Channel, Consumer, Queue
from patterns.broker.effects import CancelNotice, ChannelEnded, ConnectionEnded
from patterns.broker.exchanges import Exchange
from patterns.broker.storing import Storing
from patterns.errors import ChannelClosed, ConnectionLost


class Closing(Storing):
    """How things end."""

    def drop_channels(self, channels: Sequence[Channel], now: float) -> None:
        """Forget the channels; what they hold unacknowledged is requeued, once none of them consumes any more."""
        left: dict[str, Queue] = {}
        for channel in channels:
            self.channels.pop(channel.id, None)
            channel.connection.channels.pop(channel.id, None)
            self.requesters.pop(channel.reply_token or "", None)
            for consumer in channel.consumers.values():
                consumer.queue.consumers.remove(consumer)
                left[consumer.queue.name] = consumer.queue
            channel.consumers.clear()
        for queue in left.values():
            self.leave(queue, now)  # an auto-delete queue goes with what the channels hold of it
        for channel in channels:
            held = list(channel.unacked.values())
            channel.unacked.clear()
            self.give_back(held, now)

    def leave(self, queue: Queue, now: float) -> None:
        """A consumer left the queue: an auto-delete queue goes with the last one, an unused one begins to age."""
        if queue.consumers or queue.deleted:
            return
        if queue.auto_delete:
            self.drop_queue(queue)
        elif queue.expires is not None:
            queue.unused_since = now
            self.timed[queue.name] = queue

    def drop_queue(self, queue: Queue) -> None:
        """Delete the queue, its messages and bindings, and tell its consumers."""
        queue.deleted = True
        del self.queues[queue.name]
        self.timed.pop(queue.name, None)
        self.stuck.pop(queue.name, None)
        if self.journaling and queue.lasting:
            self.log.append(("undeclare_queue", queue.name))
        for exchange in list(self.exchanges.values()):
            bound = [identity for identity in exchange.bindings if identity[0] == queue.name]
            for identity in bound:
                exchange.remove(identity)
            if bound:
                self.unused_exchange(exchange)
        consumers = list(queue.consumers)
        queue.consumers.clear()
        queue.ready.clear()
        for consumer in consumers:
            self._notify(consumer)

    def evict(self, consumer: Consumer, now: float) -> None:
        """End a consumer from the broker's side, as when its queue's leader fails over; what it holds stays its own."""
        consumer.queue.consumers.remove(consumer)
        self._notify(consumer)
        self.leave(consumer.queue, now)

    def _notify(self, consumer: Consumer) -> None:
        channel = consumer.channel
        channel.consumers.pop(consumer.tag, None)
        self.effects.append(CancelNotice(channel.id, consumer.tag, consumer.queue.name))

    def unused_exchange(self, exchange: Exchange) -> None:
        """An auto-delete exchange goes with its last binding."""
        if exchange.auto_delete and not exchange.bindings:
            self.drop_exchange(exchange)

    def drop_exchange(self, exchange: Exchange) -> None:
        """Delete the exchange with its bindings."""
        del self.exchanges[exchange.name]
        if self.journaling and exchange.durable:
            self.log.append(("undeclare_exchange", exchange.name))

    def disconnect(self, connection_id: int, now: float) -> None:
        """A connection ends, by itself or by force; its exclusive queues go with it.  Twice is fine."""
        connection = self.connections.pop(connection_id, None)
        if connection is None:
            return
        self.drop_channels(list(connection.channels.values()), now)
        for queue in [queue for queue in self.queues.values() if queue.owner == connection_id]:
            self.drop_queue(queue)

    # --- refusals ---

    def fail_connection(self, channel: Channel, code: int, text: str, now: float) -> NoReturn:
        """Close the whole connection, for what RabbitMQ thinks no client should ever do."""
        connection = channel.connection.id
        self.disconnect(connection, now)
        self.effects.append(ConnectionEnded(channel.id, connection, code, text))
        raise ConnectionLost(f"The broker closed the connection: {code} {text}")

    def fail(self, channel: Channel, code: int, text: str, now: float) -> NoReturn:
        """Close the channel as RabbitMQ does when a client errs, and tell the caller."""
        self.drop_channels([channel], now)
        self.effects.append(ChannelEnded(channel.id, code, text))
        raise ChannelClosed(code, text)

    def find_queue(self, channel: Channel, name: str, now: float) -> Queue:
        """The queue, if this channel's connection may use it; else the channel ends with 404 or 405."""
        queue = self.queues.get(name)
        if queue is None:
            self.fail(channel, 404, f"NOT_FOUND - no queue '{name}' in vhost '/'", now)
        if queue.exclusive and queue.owner != channel.connection.id:
            self.fail_locked(channel, name, now)
        return queue

    def fail_locked(self, channel: Channel, name: str, now: float) -> NoReturn:
        """End the channel because the queue is another connection's."""
        self.fail(channel, 405, (
            f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{name}' in vhost '/'. It could be "
            "originally declared on another connection or the exclusive property value does not match that of the "
            "original declaration."
        ), now)

    def find_exchange(self, channel: Channel, name: str, now: float) -> Exchange:
        """The exchange; without it the channel ends with 404."""
        exchange = self.exchanges.get(name)
        if exchange is None:
            self.fail(channel, 404, f"NOT_FOUND - no exchange '{name}' in vhost '/'", now)
        return exchange

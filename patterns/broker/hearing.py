"""The machine's ears: consumers come and go, and deliveries are acknowledged, given back or dropped."""

from __future__ import annotations

from patterns.amqp import DIRECT_REPLY_TO
from patterns.broker.closing import Closing
from patterns.broker.data import Channel, Consumer, Held
from patterns.broker.deadletter import EXPIRED, REJECTED
from patterns.broker.effects import Deliver
from patterns.broker.storing import is_full


class Hearing(Closing):
    """AMQP's basic.qos, consume, cancel, get, ack, nack and reject."""

    def qos(self, channel_id: int, prefetch: int) -> None:
        """At most so many unacknowledged messages for each consumer started after this (0: no limit)."""
        self.channel(channel_id).prefetch = prefetch

    def consume(
        self, channel_id: int, queue_name: str, now: float, *, auto_ack: bool = False, exclusive: bool = False
    ) -> str:
        """Start a consumer; answers its tag, and what is ready follows as Deliver effects."""
        channel = self.channel(channel_id)
        if queue_name == DIRECT_REPLY_TO:
            return self._consume_replies(channel, auto_ack, now)
        queue = self.find_queue(channel, queue_name, now)
        # RabbitMQ does not look at it on quorum queues.
        if queue.consumers and not queue.quorum and (exclusive or queue.consumers[0].exclusive):
            self.fail(channel, 403, f"ACCESS_REFUSED - queue '{queue_name}' in vhost '/' in exclusive use", now)
        consumer = Consumer(
            f"ctag{channel_id}.{self.next_serial()}", channel, queue, auto_ack, exclusive, channel.prefetch
        )
        channel.consumers[consumer.tag] = consumer
        queue.consumers.append(consumer)
        self.serve(queue, now)
        return consumer.tag

    def _consume_replies(self, channel: Channel, auto_ack: bool, now: float) -> str:
        if not auto_ack:
            self.fail(channel, 406, "PRECONDITION_FAILED - reply consumer cannot acknowledge", now)
        if channel.reply_token is not None:
            self.fail(channel, 406, "PRECONDITION_FAILED - reply consumer already set", now)
        channel.reply_token = f"{self.life}.{self.next_serial()}"
        channel.reply_consumer = f"ctag{channel.id}.{channel.reply_token}"
        self.requesters[channel.reply_token] = channel
        return channel.reply_consumer

    def consumers_of(self, channel_id: int) -> dict[str, str]:
        """A channel's consumers by tag, and the queue each reads."""
        channel = self.channel(channel_id)
        replies = {} if channel.reply_token is None else {channel.reply_consumer: DIRECT_REPLY_TO}
        return {tag: consumer.queue.name for tag, consumer in channel.consumers.items()} | replies

    def cancel(self, channel_id: int, tag: str, now: float) -> None:
        """Stop a consumer; what it holds unacknowledged stays with the channel."""
        channel = self.channel(channel_id)
        if tag == channel.reply_consumer and channel.reply_token is not None:
            del self.requesters[channel.reply_token]
            channel.reply_token = None
            return
        consumer = channel.consumers.pop(tag, None)
        if consumer is not None:
            consumer.queue.consumers.remove(consumer)
            self.leave(consumer.queue, now)

    def get(self, channel_id: int, queue_name: str, now: float, *, auto_ack: bool = False) -> Deliver | None:
        """Fetch one message, if there is one."""
        channel = self.channel(channel_id)
        queue = self.find_queue(channel, queue_name, now)
        queue.unused_since = now
        while queue.ready:
            entry = self.pop(queue)
            if entry.expires_at is not None and entry.expires_at <= now:
                self.bury(queue, entry, EXPIRED, now)
                continue
            channel.last_tag += 1
            tag = None if auto_ack else channel.last_tag
            if tag is None:
                self.forget(queue, entry)
            else:
                channel.unacked[tag] = (entry, queue, None)
                queue.unacked += 1
            return Deliver(channel_id, "", queue_name, tag, entry.message, entry.redelivered, entry.returns)
        return None

    def ack(self, channel_id: int, tag: int, now: float, *, multiple: bool = False) -> None:
        """A delivery (``multiple``: and all before it; tag 0: all there are) is done with."""
        channel = self.channel(channel_id)
        for entry, queue, consumer in self._settled(channel, tag, multiple, now):
            queue.unacked -= 1
            self.forget(queue, entry)
            if consumer is not None and queue.ready:
                self.serve(queue, now)

    def nack(self, channel_id: int, tag: int, now: float, *, multiple: bool = False, requeue: bool = True) -> None:
        """Give a delivery (``multiple``: and all before it) back, or drop it to the dead-letter exchange."""
        channel = self.channel(channel_id)
        settled = self._settled(channel, tag, multiple, now)
        if requeue:
            self.give_back(settled, now, asked=True)
            return
        for _, queue, _ in settled:
            queue.unacked -= 1
        queues = {queue.name: queue for _, queue, _ in settled if not queue.deleted}.values()
        for queue in filter(is_full, queues):
            self.serve(queue, now)  # there is room for a dead letter that perhaps comes back
        for entry, queue, _ in settled:
            if not queue.deleted:
                self.bury(queue, entry, REJECTED, now)
        for queue in queues:
            self.serve(queue, now)

    def reject(self, channel_id: int, tag: int, now: float, *, requeue: bool = False) -> None:
        """Give one delivery back, or drop it to the dead-letter exchange."""
        self.nack(channel_id, tag, now, requeue=requeue)

    def _settled(self, channel: Channel, tag: int, multiple: bool, now: float) -> list[Held]:
        """Take the deliveries meant off the channel's list, and give their consumers room again."""
        unacked = channel.unacked
        if multiple and tag == 0:
            tags = list(unacked)
        elif tag not in unacked:
            self.fail(channel, 406, f"PRECONDITION_FAILED - unknown delivery tag {tag}", now)
        elif multiple:
            tags = [held for held in unacked if held <= tag]
        else:
            tags = [tag]
        settled = [unacked.pop(each) for each in tags]
        for _, _, consumer in settled:
            if consumer is not None:
                consumer.unacked -= 1
        return settled

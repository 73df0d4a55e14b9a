"""The machine's mouth: a message is published, routed, stored, and answered with a confirm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from patterns.amqp import DIRECT_REPLY_TO, Outgoing
from patterns.broker.arguments import expiration_refusal
from patterns.broker.closing import Closing
from patterns.broker.data import Channel, Message, Queue
from patterns.broker.effects import Confirm, Deliver, Return

REPLY_PREFIX = f"{DIRECT_REPLY_TO}."


class Speaking(Closing):
    """AMQP's basic.publish, on channels in confirm mode."""

    def publish(self, channel_id: int, outgoing: Outgoing, now: float) -> int:
        """Publish; a Confirm (and before it, when nobody takes a mandatory message, a Return) answers this number."""
        channel = self.channel(channel_id)
        exchange = self.find_exchange(channel, outgoing.exchange, now)
        properties = outgoing.properties
        if properties.expiration is not None and (reason := expiration_refusal(properties.expiration)) is not None:
            self.fail(channel, 406, f"PRECONDITION_FAILED - {reason}", now)
        if properties.reply_to == DIRECT_REPLY_TO:
            if channel.reply_token is None:
                self.fail(channel, 406, "PRECONDITION_FAILED - fast reply consumer does not exist", now)
            properties = replace(properties, reply_to=REPLY_PREFIX + channel.reply_token)
        channel.published += 1
        number = channel.published
        message = Message(outgoing.exchange, outgoing.routing_key, outgoing.body, properties)
        queues: Sequence[Queue] = ()
        if outgoing.exchange == "" and outgoing.routing_key.startswith(REPLY_PREFIX):
            self._reply(message)
        else:
            queues = self.route(exchange, message)
        stored = self.store(message, queues, now)
        if outgoing.mandatory and not queues:
            # Also a reply that arrived: a direct reply-to is no queue, and RabbitMQ looks only at queues.
            self.effects.append(Return(channel_id, number, message))
        self.effects.append(Confirm(channel_id, number, stored))
        return number

    def _reply(self, message: Message) -> None:
        """Hand a reply to whoever waits for it; nobody keeps it when they are gone."""
        asker: Channel | None = self.requesters.get(message.routing_key.removeprefix(REPLY_PREFIX))
        if asker is not None:
            # It takes no delivery tag of the channel's: the next delivery's is what it would have been.
            self.effects.append(Deliver(asker.id, asker.reply_consumer, DIRECT_REPLY_TO, None, message, False, 0))

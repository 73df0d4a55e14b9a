"""The eight helpers: publish and consume in each of the four styles, bound to a service by its name.

They speak directly, without outbox, inbox or database: for a shell, a script, a first look.  ``publish_*`` returns when
the broker has confirmed.  ``consume_*`` reads in the background until its :class:`Consumer` is stopped; a message is
acknowledged after the handler returned, and parked when the handler raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import uuid4

from patterns import envelope, topology
from patterns.address import Answer, Bound, Direct, Fanout, Queue, Rpc, Saga, Topic
from patterns.amqp import DIRECT_REPLY_TO, Channel, Delivery, Outgoing, Receipt
from patterns.envelope import Context, seal, seal_reply
from patterns.errors import AnswerTimeout, Refused, Unconfirmed, Unreadable, Unroutable
from patterns.link import Link
from patterns.logs import get_logger
from patterns.message import TYPES, Message
from patterns.retry import ParkedAs, Retries
from patterns.settings import settings
from patterns.transport import transport

DirectHandler = Callable[[Message], Message | None]
CONNECT_SECONDS = 10.0


class Consumer:
    """A queue being read in the background."""

    def __init__(self, service: str, address: Queue | Bound, handler: DirectHandler) -> None:
        self._service, self._address, self._handler = service, address, handler
        self._queue = _own_queue(service, address)
        self._link = Link(f"{service}.consumer", transport(), self._prepare, self._work, 1)
        self._link.start()
        self._link.channel(CONNECT_SECONDS)

    def stop(self) -> None:
        """Finish the message in hand and stop reading."""
        self._link.stop()

    def _prepare(self, channel: Channel) -> None:
        config = settings()
        _declare(channel, self._address)
        for name in (topology.parked_queue(self._service), topology.dead_queue(self._service)):
            topology.declare_queue(channel, name, topology.aside_arguments(config), config)
        topology.declare_queue(channel, self._queue, topology.main_arguments(self._service, config), config)
        if not isinstance(self._address, Queue):
            channel.bind(self._queue, self._address.exchange, self._address.binding)
        channel.qos(1)
        channel.consume(self._queue)

    def _work(self, channel: Channel, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            try:
                answer = self._answered(delivery)
            except Exception as error:  # a shell's handler may raise anything; its message must not be lost
                get_logger(self._service).warning("Parked: %s", error, extra={"action": "parked"})
                parked_as: ParkedAs = "unreadable" if isinstance(error, Unreadable) else "failed"
                Retries(self._service, channel).park(delivery, str(error), parked_as)
            else:
                channel.publish([] if answer is None else [answer])
            channel.ack(delivery.tag or 0)

    def _answered(self, delivery: Delivery) -> Outgoing | None:
        """The handler's answer, if somebody asked for it.  Raises whatever the handler does, and Unreadable."""
        mode = _mode(self._address)
        message = envelope.read(delivery, TYPES, mode)
        if message is None:
            raise Unreadable(f"type {delivery.properties.type!r} is not in the shop's language")
        answer = self._handler(message)
        asked = delivery.properties
        if answer is None or not asked.reply_to:
            return None
        context = Context(mode, causation_id=asked.message_id)
        return seal_reply(answer, context, asked.reply_to, asked.message_id or "").outgoing(self._service)


class Messenger:
    """One service's voice and ears, for use by hand."""

    def __init__(self, service: str) -> None:
        self.service = service

    def publish_default(self, queue: Queue, message: Message) -> None:
        """Send to one queue; one of its readers gets the message.  Raises Unroutable when there is no such queue."""
        self._publish(queue, message)

    def consume_default(self, queue: Queue, handler: DirectHandler) -> Consumer:
        """Read a queue, sharing its messages with our other instances."""
        return Consumer(self.service, queue, handler)

    def publish_fanout(self, exchange: Fanout, message: Message) -> None:
        """Tell every service that listens.  Raises Unroutable when none does."""
        self._publish(exchange, message)

    def consume_fanout(self, exchange: Fanout, handler: DirectHandler) -> Consumer:
        """Listen on a queue of our own, such as ``product.EX_ORDER``, to all that is said there."""
        return Consumer(self.service, exchange, handler)

    def publish_topic(self, topic: Topic | Saga | Direct, message: Message) -> None:
        """Tell whoever bound such a key.  Raises Unroutable when nobody did."""
        self._publish(topic, message)

    def consume_topic(self, topic: Topic | Saga | Direct, handler: DirectHandler) -> Consumer:
        """Listen on a queue of our own, such as ``product.order.*``, for keys that match; ``#`` is any words."""
        return Consumer(self.service, topic, handler)

    def publish_rpc(self, procedure: Rpc, message: Message, timeout: float = 5.0) -> Message:
        """Ask, and wait for the answer.  Raises AnswerTimeout when none comes: then the outcome is unknown."""
        connection = transport().connect(f"{self.service}.asking")
        try:
            channel = connection.channel()
            channel.consume(DIRECT_REPLY_TO, auto_ack=True)
            request = seal(message, procedure, Context("rpc"), awaits_answer=True)
            _send(channel, _fresh(request.outgoing(self.service, DIRECT_REPLY_TO)), str(procedure))
            for delivery in channel.take(1, timeout):
                answer = isinstance(delivery, Delivery) and envelope.read(delivery, TYPES, "rpc")
                if isinstance(answer, Message):
                    return answer
            raise AnswerTimeout(f"No answer from {procedure} within {timeout:g} s; it may have been handled or not.")
        finally:
            connection.close()

    def consume_rpc(self, procedure: Rpc, handler: DirectHandler) -> Consumer:
        """Answer every request with what the handler returns."""
        return Consumer(self.service, procedure, handler)

    def _publish(self, address: Queue | Bound, message: Message) -> None:
        connection = transport().connect(f"{self.service}.speaking")
        try:
            channel = connection.channel()
            _declare(channel, address)
            said = seal(message, address, Context(_mode(address)))
            _send(channel, _fresh(said.outgoing(self.service)), str(address))
        finally:
            connection.close()


def _own_queue(service: str, address: Queue | Bound) -> str:
    """A queue beside those of the running service, so that listening in takes nothing away from it."""
    if isinstance(address, Queue):
        return address.name
    return f"{service}.{address.exchange if isinstance(address, Fanout) else address.binding}"


def _fresh(outgoing: Outgoing) -> Outgoing:
    """A new message id each time: by hand, saying it twice means it twice."""
    return replace(outgoing, properties=replace(outgoing.properties, message_id=str(uuid4())))


def _send(channel: Channel, outgoing: Outgoing, where: str) -> None:
    [receipt] = channel.publish([outgoing])
    if receipt is Receipt.RETURNED:
        raise Unroutable(f"{where}: {Unroutable.__doc__}")
    if receipt is Receipt.REFUSED:
        raise Refused(f"{where}: {Refused.__doc__}")
    if receipt is Receipt.UNKNOWN:
        raise Unconfirmed(f"{where}: {Unconfirmed.__doc__}")


def _declare(channel: Channel, address: Queue | Bound | Answer) -> None:
    if not isinstance(address, Queue | Answer):
        channel.declare_exchange(address.exchange, address.kind)


def _mode(address: Queue | Bound) -> str:
    if isinstance(address, Queue):
        return "rpc" if isinstance(address, Rpc) else "default"
    return address.mode

"""Voice: how a service speaks.  One channel in confirm mode for everything its outbox holds.

Answers to RPC requests arrive on the same channel: RabbitMQ's direct reply-to demands it
(https://www.rabbitmq.com/docs/direct-reply-to).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from uuid import UUID

from patterns import outbox, topology
from patterns.amqp import DIRECT_REPLY_TO, Channel, Delivery, Outgoing, Receipt, Transport
from patterns.breaker import Breaker
from patterns.database import Database
from patterns.envelope import Said
from patterns.errors import BrokerUnavailable, DatabaseUnavailable, NotAsked
from patterns.hearing import Hearing
from patterns.link import Link
from patterns.logs import get_logger
from patterns.runtime import runtime
from patterns.settings import settings
from patterns.wiring import Wirings

ANSWERS_AT_ONCE = 100

FAIR_SHARE = 0.5
"""Who had less than this share of RPC_WAIT_SECONDS to answer is not blamed: the time went to those asked before."""


class Voice:
    """Publishes what a service has said, and hands each answer to whoever waits for it."""

    def __init__(
        self, service: str, transport: Transport, database: Database, wirings: Wirings,
        unawaited: Callable[[Channel, Sequence[Delivery]], None],
    ) -> None:
        self.service, self.database, self.wirings = service, database, wirings
        self.link = Link(f"{service}.voice", transport, self._prepare, self._answered, ANSWERS_AT_ONCE)
        self._unawaited = unawaited
        self._awaited: dict[tuple[str, UUID], SimpleQueue[Delivery]] = {}  # by request and order
        self._hearing = Hearing(service, wirings)
        self.breakers: dict[str, Breaker] = {}
        """By the address that is asked."""
        self._making = runtime().lock()
        self._log = get_logger(service)

    def say(self, said: Sequence[Said]) -> None:
        """Publish, wait once for the broker's confirms, and note what is sent.

        Never raises for a broker or database that is away: what is not noted as sent stays due, and the relay says it
        again.
        """
        if not said:
            return
        try:
            receipts = self.link.channel().publish([self._outgoing(one) for one in said])
        except BrokerUnavailable:
            return  # the link has said so already; the rows stay due
        for one, receipt in zip(said, receipts, strict=True):
            if receipt is not Receipt.CONFIRMED and not one.is_reply:
                self._not_sent(one, receipt)
        self._note_sent([
            one.message_id for one, receipt in zip(said, receipts, strict=True)
            if receipt is Receipt.CONFIRMED and not one.awaits_answer and not one.is_reply
        ])

    @contextmanager
    def ask(self, request: Said, timeout: float) -> Iterator[Delivery | None]:
        """Publish a request and wait for its answer, at most ``timeout`` seconds; None means unknown, not failed.

        Nobody waits while the broker is away, or for whom did not answer the last times: its breaker is open.  The
        request stands in the outbox, and the relay asks.  Until the block ends, no other thread handles another answer
        to the same request: what follows from it would be asked there, and nobody here would wait for it.
        """
        breaker = self._breaker(request.address)
        if timeout <= 0 or self.link.trouble is not None or not self._admits(breaker):
            yield None
            return
        asked, answers = (str(request.message_id), request.order_id), runtime().mailbox()
        self._awaited[asked] = answers
        try:
            self.say([request])
            yield self._first(answers, breaker, timeout)
        finally:
            self._awaited.pop(asked, None)

    def _first(self, answers: SimpleQueue[Delivery], breaker: Breaker, timeout: float) -> Delivery | None:
        """The first answer, if one comes in time; those who ask the same one later learn from it."""
        try:
            reply = answers.get(timeout=timeout)
        except Empty:
            if timeout >= settings().rpc_wait_seconds * FAIR_SHARE and self.link.trouble is None:
                breaker.failed(f"no answer from {breaker.name} within {timeout:.1f} s")
            return None
        breaker.worked()
        return reply

    def _admits(self, breaker: Breaker) -> bool:
        try:
            breaker.admit()
        except NotAsked:
            return False
        return True

    def _breaker(self, address: str) -> Breaker:
        with self._making:
            return self.breakers.setdefault(address, Breaker(self.service, address))

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        """Publish what is in no outbox: retries and parked messages.  Raises BrokerUnavailable."""
        return self.link.channel(timeout).publish(messages, timeout)

    def _prepare(self, channel: Channel) -> None:
        topology.declare_known(channel)
        if any(wiring.hears_answers for wiring in self.wirings.values()):
            channel.consume(DIRECT_REPLY_TO, auto_ack=True)

    def _outgoing(self, one: Said) -> Outgoing:
        return one.outgoing(self.service, reply_to=DIRECT_REPLY_TO)

    def _answered(self, channel: Channel, deliveries: Sequence[Delivery]) -> None:
        unawaited = []
        for delivery in deliveries:
            request = self._request(delivery)
            waiting = self._awaited.get(request) if request else None
            if waiting is None:
                unawaited.append(delivery)
            else:
                waiting.put(delivery)
        if unawaited:
            self._unawaited(channel, unawaited)

    def _request(self, answer: Delivery) -> tuple[str, UUID] | None:
        """The request and order it is about; None for what is no answer: whoever waits goes on waiting."""
        try:
            heard = self._hearing.hear(answer)
        except Exception:  # the listener says what is wrong with it
            return None
        return None if heard is None else (answer.properties.correlation_id or "", heard.message.order_id)

    def _not_sent(self, one: Said, receipt: Receipt) -> None:
        why = "no queue is bound there" if receipt is Receipt.RETURNED else f"the broker's answer: {receipt.value}"
        self._log.warning(
            "%s for %s is not sent (%s); the relay says it again.", one.type, one.address, why,
            extra={"action": "not_sent", "order_id": str(one.order_id)},
        )

    def _note_sent(self, message_ids: Sequence[UUID]) -> None:
        try:
            self.database.transact_one(outbox.mark_sent, message_ids)
        except DatabaseUnavailable as error:
            self._log.warning("%s What was sent will be sent again.", error, extra={"action": "not_noted"})

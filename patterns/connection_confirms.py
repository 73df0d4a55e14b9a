"""Publisher confirms for batches: publish many, wait once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from pika import spec

from patterns.amqp import Outgoing, Receipt
from patterns.connection_asking import understood
from patterns.connection_envelope import to_pika


class Batch:
    """Messages published together, and what became of each."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        self._receipts: list[Receipt | None] = [None] * len(messages)
        self._unanswered = len(messages)
        self._over = threading.Event()
        self._error: Exception | None = None

    def came_back(self, index: int) -> None:
        """Note that the broker returned a message; its confirm follows, and changes nothing."""
        self._receipts[index] = Receipt.RETURNED

    def has_come_back(self, index: int) -> bool:
        """Whether the broker returned this message already."""
        return self._receipts[index] is Receipt.RETURNED

    def answered(self, index: int, receipt: Receipt) -> bool:
        """Note the broker's answer to one message; True when it was the last."""
        self._receipts[index] = self._receipts[index] or receipt
        self._unanswered -= 1
        if self._unanswered == 0:
            self._over.set()
        return self._unanswered == 0

    def end(self, error: Exception | None = None) -> None:
        """No more answers will come."""
        self._error = error
        self._over.set()

    def wait(self, timeout: float) -> list[Receipt]:
        """Wait for the answers; what has none by then is UNKNOWN.  Raises ValueError for what AMQP cannot carry."""
        self._over.wait(timeout)
        if self._error is not None:
            raise self._error
        return [receipt or Receipt.UNKNOWN for receipt in self._receipts]


class Confirms:
    """What was published on a channel and not answered yet.

    ``batch`` and ``end`` may be called from any thread, the rest is the connection's thread's.
    """

    def __init__(self) -> None:
        self._last_tag = 0  # the broker counts what is published on a channel, from 1; so do we
        self._unanswered: dict[int, tuple[Batch, int]] = {}  # in the order of publishing
        self._lock = threading.Lock()
        self._waiting: set[Batch] = set()
        self._ended = False

    def batch(self, messages: Sequence[Outgoing]) -> Batch:
        """Messages that are about to be published."""
        batch = Batch(messages)
        with self._lock:
            if self._ended:
                batch.end()
            else:
                self._waiting.add(batch)
        return batch

    def publish(self, channel: Any, batch: Batch) -> None:
        """Hand a batch to pika."""
        if not channel.is_open:  # it is closing: whoever waits will hear that it ended
            return
        try:
            for index, message in enumerate(batch.messages):
                channel.basic_publish(
                    message.exchange, message.routing_key, message.body, to_pika(message.properties), message.mandatory
                )
                self._last_tag += 1
                self._unanswered[self._last_tag] = batch, index
        except Exception as error:  # the publisher's business, not this thread's, which serves others too
            self._forget(batch)
            batch.end(understood(error))

    def answered(self, frame: Any) -> None:
        """The broker confirms, or refuses, one message or all up to one."""
        method = frame.method
        receipt = Receipt.CONFIRMED if isinstance(method, spec.Basic.Ack) else Receipt.REFUSED
        if not method.multiple:
            self._settle(method.delivery_tag, receipt)
            return
        while self._unanswered and (oldest := next(iter(self._unanswered))) <= method.delivery_tag:
            self._settle(oldest, receipt)

    def returned(self, _: object, method: Any, properties: Any, body: bytes) -> None:
        """A mandatory message comes back, before its confirm: it is the oldest unanswered one that looks like it.

        A return does not say which message it is.  Two that look alike in everything are one to whoever published
        them, so it does not matter which of them is told that it came back.
        """
        looks = method.exchange, method.routing_key, properties.message_id, properties.correlation_id, body
        for batch, index in self._unanswered.values():
            sent = batch.messages[index]
            if sent.mandatory and _looks(sent) == looks and not batch.has_come_back(index):
                batch.came_back(index)
                return

    def end(self) -> None:
        """The channel is gone: whatever was not answered never will be."""
        with self._lock:
            self._ended = True
            waiting, self._waiting = self._waiting, set()
        for batch in waiting:
            batch.end()

    def _settle(self, tag: int, receipt: Receipt) -> None:
        batch, index = self._unanswered.pop(tag)
        if batch.answered(index, receipt):
            self._forget(batch)

    def _forget(self, batch: Batch) -> None:
        with self._lock:
            self._waiting.discard(batch)


def _looks(message: Outgoing) -> tuple[str, str, str | None, str | None, bytes]:
    properties = message.properties
    return message.exchange, message.routing_key, properties.message_id, properties.correlation_id, message.body

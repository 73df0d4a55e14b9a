"""Publisher confirms for batches: publish many, wait once; and the envelope between our words and pika's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pika
from pika import spec

from patterns.amqp import Delivery, Outgoing, Properties, Receipt


class Batch:
    """Messages published together, and what became of each."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        self._receipts: list[Receipt | None] = [None] * len(messages)
        self._open = len(messages)
        self._done = threading.Event()
        self._error: Exception | None = None

    def settle(self, index: int, receipt: Receipt) -> None:
        """Note what became of one message; the first answer counts: a return comes before its confirm."""
        if self._receipts[index] is None:
            self._receipts[index] = receipt
        self._open -= 1
        if self._open == 0:
            self._done.set()

    def returned(self, index: int) -> None:
        """Note that a message came back; its confirm follows."""
        self._receipts[index] = Receipt.RETURNED

    def end(self, error: Exception | None = None) -> None:
        """No more answers will come."""
        self._error = error
        self._done.set()

    def is_returned(self, index: int) -> bool:
        """Whether this message came back already."""
        return self._receipts[index] is Receipt.RETURNED

    def wait(self, timeout: float) -> list[Receipt]:
        """Wait for the answers; what has none by then is UNKNOWN.  Raises what pika said of a message it cannot send."""
        self._done.wait(timeout)
        if self._error is not None:
            raise self._error
        return [receipt or Receipt.UNKNOWN for receipt in self._receipts]


class Confirms:
    """What was published on a channel and not answered yet, by delivery tag; all on the I/O thread but ``batch``."""

    def __init__(self) -> None:
        self._next_tag = 1
        self._open: dict[int, tuple[Batch, int]] = {}
        self._batches: set[Batch] = set()
        self._lock = threading.Lock()
        self._ended = False

    def batch(self, messages: Sequence[Outgoing]) -> Batch:
        """Messages that are about to be published; from any thread."""
        made = Batch(messages)
        with self._lock:
            if self._ended:
                made.end()
            self._batches.add(made)
        return made

    def publish(self, channel: Any, batch: Batch) -> None:
        """Hand a batch to pika."""
        if self._ended:
            return
        try:
            for index, message in enumerate(batch.messages):
                channel.basic_publish(
                    message.exchange, message.routing_key, message.body, to_pika(message.properties), message.mandatory
                )
                self._open[self._next_tag] = (batch, index)
                self._next_tag += 1
        except Exception as error:  # a message pika cannot encode: its publisher must hear of it
            self._forget(batch)
            batch.end(error)

    def answered(self, frame: Any) -> None:
        """The broker confirms, or refuses, one message or all up to one."""
        method = frame.method
        receipt = Receipt.CONFIRMED if isinstance(method, spec.Basic.Ack) else Receipt.REFUSED
        last = method.delivery_tag
        tags = [tag for tag in self._open if tag <= last] if method.multiple else [last]
        for tag in tags:
            batch, index = self._open.pop(tag, (None, 0))
            if batch is not None:
                batch.settle(index, receipt)
                if batch._done.is_set():
                    self._forget(batch)

    def returned(self, _: object, method: Any, properties: Any, body: bytes) -> None:
        """A mandatory message comes back; it is the oldest unanswered one that looks like it."""
        for batch, index in self._open.values():
            sent = batch.messages[index]
            if (
                not batch.is_returned(index) and sent.mandatory and sent.body == body
                and (sent.exchange, sent.routing_key) == (method.exchange, method.routing_key)
                and sent.properties.message_id == properties.message_id
            ):
                batch.returned(index)
                return

    def end(self) -> None:
        """The channel is gone: whatever was not answered never will be."""
        with self._lock:
            self._ended = True
            batches, self._batches = self._batches, set()
        for batch in batches:
            batch.end()
        self._open.clear()

    def _forget(self, batch: Batch) -> None:
        with self._lock:
            self._batches.discard(batch)


def to_pika(properties: Properties) -> pika.BasicProperties:
    """Our envelope as pika writes it."""
    return pika.BasicProperties(
        message_id=properties.message_id, type=properties.type, correlation_id=properties.correlation_id,
        app_id=properties.app_id, timestamp=properties.timestamp, content_type=properties.content_type,
        reply_to=properties.reply_to, expiration=properties.expiration, headers=dict(properties.headers) or None,
        delivery_mode=2 if properties.persistent else 1,
    )


def from_pika(queue: str, consumer: str, tag: int | None, method: Any, properties: Any, body: bytes) -> Delivery:
    """A delivery in our words."""
    envelope = Properties(
        message_id=_text(properties.message_id), type=_text(properties.type),
        correlation_id=_text(properties.correlation_id), app_id=_text(properties.app_id),
        timestamp=properties.timestamp, content_type=_text(properties.content_type), reply_to=_text(properties.reply_to),
        expiration=_text(properties.expiration), persistent=properties.delivery_mode == 2, headers=properties.headers or {},
    )
    return Delivery(
        queue, tag, method.exchange, method.routing_key, body, envelope, redelivered=method.redelivered, consumer=consumer
    )


def _text(value: Any) -> str | None:
    """A short string; pika hands out bytes where they are not UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value

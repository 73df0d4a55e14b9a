"""A channel's consumers: who is alive, and what becomes of those that are stopped, by us or by the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from patterns.amqp import Cancelled, Delivery
from patterns.connection_arrivals import Arrivals
from patterns.connection_asking import Answer
from patterns.connection_envelope import from_pika


class Consumers:
    """Changed on the connection's thread only; ``alive`` (tag to queue) may be read from any.

    What one reading from the socket brings is handed over at once: whoever takes is woken once for all of it, and does not
    begin with the first of many.
    """

    def __init__(self, arrivals: Arrivals) -> None:
        self.alive: dict[str, str] = {}
        self._arrivals = arrivals
        self._read: list[Delivery | Cancelled] = []
        self._when_read: Callable[[Callable[[], object]], object]  # from the first consumer on

    def start(self, pika: Any, done: Answer, tag: str, queue: str, auto_ack: bool, exclusive: bool) -> None:
        """Begin to read a queue."""

        def deliver(_: object, method: Any, properties: Any, body: bytes) -> None:
            number = None if auto_ack else method.delivery_tag
            self._add(from_pika(queue, tag, number, method, properties, body))

        self.alive[tag] = queue
        self._when_read = pika.connection.when_read
        pika.basic_consume(queue, deliver, auto_ack, exclusive, tag, callback=done)

    def stop(self, pika: Any, done: Answer, tag: str) -> None:
        """Read no more."""
        if self.alive.pop(tag, None) is None:  # the broker cancelled it before us; pika would never answer
            done(None)
            return
        pika.basic_cancel(tag, callback=lambda frame: self._stopped(done, frame))
        # Otherwise pika gives back what arrives before the broker's answer, and it is delivered a second time.
        pika._cancelled.discard(tag)

    def cancelled(self, frame: Any) -> None:
        """The broker ended a consumer, because its queue was deleted or failed over."""
        tag = frame.method.consumer_tag
        queue = self.alive.pop(tag, None)
        if queue is not None:  # otherwise we cancelled it ourselves a moment before
            self._add(Cancelled(queue, tag))

    def _add(self, item: Delivery | Cancelled) -> None:
        if not self._read:
            self._when_read(self._hand_over)
        self._read.append(item)

    def _hand_over(self) -> None:
        read, self._read = self._read, []
        self._arrivals.add(read)

    def _stopped(self, done: Answer, frame: Any) -> None:
        self._hand_over()  # whoever stopped it takes now what came before
        done(frame)

"""One connection to RabbitMQ on a thread of its own: hears what is ready, publishes with confirms, acknowledges last."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika

from lab.bench.bare.journal import REPLIES, Letter, Said

Work = Callable[[Sequence[Letter]], list[Said]]

READ_BYTES = 65536
"""As much as ours reads at once, so that batches are as large; pika's own 4 KiB are seven messages."""


@dataclass(slots=True)
class Waiting:
    """Messages that are published together, and what is to be done when the broker has confirmed all of them."""

    left: int
    done: Callable[[], None]


class Line(threading.Thread):
    """A connection that hears these queues, ``limit`` messages a transaction at most; what goes wrong ends the process."""

    def __init__(
        self, name: str, url: str, limit: int, queues: Sequence[str] = (), work: Work | None = None,
        sent: Callable[[Sequence[Said]], None] = lambda _: None, replies: Callable[[Letter], None] | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.url, self.limit, self.queues = url, limit, queues
        self.work, self.sent, self.replies = work, sent, replies
        self.opened = threading.Event()
        self._ready: list[Letter] = []
        self._handed: list[Said] = []
        self._busy = self._due = False
        self._tag = 0
        self._waiting: dict[int, Waiting] = {}

    def run(self) -> None:
        """Connect and serve, for ever."""
        try:
            self._connection = pika.SelectConnection(
                pika.URLParameters(self.url), on_open_callback=self._connected, on_open_error_callback=self._lost,
                on_close_callback=self._lost)
            self._connection.ioloop.start()
        except BaseException:
            traceback.print_exc()
        os._exit(1)

    def say_soon(self, said: Sequence[Said]) -> None:
        """Publish these in a moment, many together; callable from any thread."""
        self._connection.ioloop.add_callback_threadsafe(partial(self._hand, said))

    def say(self, said: Sequence[Said], done: Callable[[], None]) -> None:
        """Publish these now and call ``done`` when they are confirmed; callable from any thread."""
        self._connection.ioloop.add_callback_threadsafe(partial(self._publish, said, done))

    def _connected(self, connection: Any) -> None:
        connection._transport._MAX_RECV_BYTES = READ_BYTES
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._lost)
        channel.add_on_return_callback(self._lost)
        channel.confirm_delivery(self._confirmed, callback=lambda _: None)
        channel.basic_qos(prefetch_count=self.limit, callback=self._consume)

    def _consume(self, _: Any) -> None:
        for queue in self.queues:
            self._channel.basic_consume(queue, partial(self._arrived, queue))
        if self.replies is not None:
            self._channel.basic_consume(REPLIES, self._replied, auto_ack=True)
        self.opened.set()

    def _arrived(self, queue: str, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self._ready.append(Letter(method.delivery_tag, queue, properties, body))
        self._soon()

    def _replied(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        if self.replies is not None:
            self.replies(Letter(method.delivery_tag, REPLIES, properties, body))

    def _hand(self, said: Sequence[Said]) -> None:
        self._handed += said
        self._soon()

    def _soon(self) -> None:
        """Work once all that has been read is sorted; nobody waits for more."""
        if not self._busy and not self._due:
            self._due = True
            self._connection.ioloop.call_later(0, self._turn)

    def _turn(self) -> None:
        self._due = False
        letters, self._ready = self._ready[:self.limit], self._ready[self.limit:]
        handed, self._handed = self._handed, []
        if letters or handed:
            self._busy = True
            said = handed + (self.work(letters) if self.work is not None and letters else [])
            self._publish(said, partial(self._finish, said, letters))

    def _finish(self, said: Sequence[Said], letters: Sequence[Letter]) -> None:
        self.sent(said)
        if letters:
            self._channel.basic_ack(max(letter.tag for letter in letters), multiple=True)
        self._busy = False
        if self._ready or self._handed:
            self._soon()

    def _publish(self, said: Sequence[Said], done: Callable[[], None]) -> None:
        waiting = Waiting(len(said), done)
        for one in said:
            properties = pika.BasicProperties(
                content_type="application/json", delivery_mode=2, message_id=one.id, type=one.type, headers=one.headers,
                correlation_id=one.correlation_id, app_id=self.name,
                reply_to=REPLIES if one.awaits_answer else None)
            self._channel.basic_publish(one.exchange, one.key, one.body.encode(), properties, mandatory=not one.is_reply)
            self._tag += 1
            self._waiting[self._tag] = waiting
        if not said:
            done()

    def _confirmed(self, frame: Any) -> None:
        method = frame.method
        if not isinstance(method, pika.spec.Basic.Ack):
            self._lost(frame)
        upto = method.delivery_tag
        for tag in [tag for tag in self._waiting if tag <= upto] if method.multiple else [upto]:
            waiting = self._waiting.pop(tag)
            waiting.left -= 1
            if not waiting.left:
                waiting.done()

    def _lost(self, *what: Any) -> None:
        print("lost or returned:", *what, file=sys.stderr, flush=True)
        os._exit(1)

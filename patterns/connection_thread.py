"""Pika's connection on a thread of its own.

pika belongs to one thread.  Here that thread does nothing else: heartbeats go on while a handler works, and whoever
wants something done posts it.

::

    any thread ──post──> [ the connection's thread: pika's event loop ] <──> RabbitMQ
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop

from patterns.connection_pika import PikaConnection
from patterns.connection_url import ending, reason, where
from patterns.errors import BrokerUnavailable, ConnectionLost

logging.getLogger("pika").setLevel(logging.CRITICAL)  # what matters reaches the caller as an error

CLOSE_SECONDS = 5.0


class PikaThread:
    """One connection to RabbitMQ and the thread that serves it.

    ``ended`` is called once, when the connection is gone for whatever reason.  ``lost`` says why it is gone; ``blocked``
    why RabbitMQ takes no messages from us at the moment.
    """

    def __init__(self, parameters: pika.URLParameters, name: str, ended: Callable[[ConnectionLost], None]) -> None:
        self.lost: ConnectionLost | None = None
        self.blocked: str | None = None
        self.pika: Any = None
        self._where, self._patience = where(parameters), parameters.stack_timeout
        self._ended = ended
        self._lock = threading.Lock()
        self._posted: list[Callable[[], object]] = []
        self._opened: Future[None] = Future()
        self._loop = IOLoop()
        self._thread = threading.Thread(target=self._run, args=(parameters,), name=f"amqp:{name}", daemon=True)

    def open(self) -> None:
        """Connect.  Raises BrokerUnavailable."""
        self._thread.start()
        try:
            self._opened.result(self._patience + CLOSE_SECONDS)  # pika gives up by itself a little earlier
        except FutureTimeout:
            self.abort(ConnectionLost("never connected"))
            raise BrokerUnavailable(f"RabbitMQ does not answer at {self._where}.") from None

    def post(self, action: Callable[[], object]) -> None:
        """Have something done on the thread, soon and in order.  Raises ConnectionLost when that is too late."""
        with self._lock:
            if self.lost is not None:
                raise self.lost.with_traceback(None)
            self._posted.append(action)
            if len(self._posted) == 1:  # otherwise the thread has been woken for an earlier one
                self._loop.add_callback_threadsafe(self._work)

    def close(self) -> None:
        """Say goodbye to RabbitMQ, after all that was posted; or cut the line when it does not answer."""
        with suppress(ConnectionLost):  # then nothing is left to say
            self.post(self._close)
        if threading.current_thread() is self._thread:
            return
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self.abort(ConnectionLost("This connection was closed by its owner"))
            self._thread.join(CLOSE_SECONDS)

    def abort(self, lost: ConnectionLost) -> None:
        """Cut the line: whoever waits for an answer hears of it now."""
        self._end(lost)
        self._loop.add_callback_threadsafe(self._cut)

    # -- on the thread

    def _run(self, parameters: pika.URLParameters) -> None:
        try:
            self.pika = PikaConnection(
                parameters, on_open_callback=lambda _: self._opened.set_result(None),
                on_open_error_callback=self._refused, on_close_callback=self._closed, custom_ioloop=self._loop,
            )
            self.pika.add_on_connection_blocked_callback(lambda _, frame: self._block(frame.method.reason))
            self.pika.add_on_connection_unblocked_callback(lambda *_: self._block(None))
            self._loop.start()
        except Exception as error:  # whatever it is, nobody may go on waiting for this thread
            self._end(ConnectionLost(f"Talking to RabbitMQ failed: {type(error).__name__}: {error}"))
            self._cut()
            self._loop.start()
        finally:
            self._loop.close()

    def _block(self, reason: str | None) -> None:
        self.blocked = reason

    def _work(self) -> None:
        with self._lock:
            posted, self._posted = self._posted, []
        with self.pika.together():
            for action in posted:
                action()

    def _close(self) -> None:
        if self.pika.is_open:
            self.pika.close()

    def _cut(self) -> None:
        if self.pika is None or self.pika.is_closed:
            self._loop.stop()
        else:
            self.pika.cut()

    def _refused(self, _: object, error: BaseException) -> None:
        self._opened.set_exception(BrokerUnavailable(f"RabbitMQ does not answer at {self._where}: {reason(error)}"))
        self._end(ConnectionLost("never connected"))
        self._loop.stop()

    def _closed(self, _: object, error: BaseException) -> None:
        self._end(ConnectionLost(str(ending(error))))
        self._loop.stop()

    def _end(self, lost: ConnectionLost) -> None:
        with self._lock:
            if self.lost is not None:
                return
            self.lost = lost
            self._posted.clear()
        self._ended(lost)

"""Questions to the broker: asked on the connection's thread, waited for by whoever asks."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from pika.exceptions import (
    ChannelWrongStateError,
    ConnectionWrongStateError,
    NoFreeChannels,
    ShortStringTooLong,
    UnsupportedAMQPFieldException,
)

from patterns.connection_thread import PikaThread
from patterns.connection_url import ending
from patterns.errors import BrokerUnavailable, ConnectionLost

ANSWER_SECONDS = 30.0

Answer = Callable[[Any], None]


class Questions:
    """What one channel asked and was not answered yet.  ``lost`` says why it can ask no more."""

    def __init__(self, thread: PikaThread) -> None:
        self.lost: BrokerUnavailable | None = None
        self._thread = thread
        self._lock = threading.Lock()
        self._waiting: set[Future[Any]] = set()

    def check(self) -> None:
        """Raise what ended the channel, if something did."""
        if self.lost is not None:
            raise self.lost.with_traceback(None)

    def ask(self, question: Callable[[Answer], object], timeout: float | None = None) -> Any:
        """Put a question on the connection's thread; wait for its answer there.  Raises what ended the channel.

        A broker that owes an answer for so long counts as lost, with all channels of the connection.
        """
        timeout = ANSWER_SECONDS if timeout is None else timeout
        future: Future[Any] = Future()
        with self._lock:
            self.check()
            self._waiting.add(future)
        try:
            self._thread.post(lambda: self._put(question, future))
            return future.result(timeout)
        except FutureTimeout:
            self._thread.abort(ConnectionLost(f"RabbitMQ owes us an answer for {timeout:g} s; the connection is cut."))
            raise ConnectionLost(f"RabbitMQ did not answer within {timeout:g} s.") from None
        finally:
            with self._lock:
                self._waiting.discard(future)

    def end(self, lost: BrokerUnavailable) -> bool:
        """No more answers will come: tell everybody who waits.  False if that was known already."""
        with self._lock:
            if self.lost is not None:
                return False
            self.lost = lost
            waiting = list(self._waiting)
        for future in waiting:
            _fail(future, lost)
        return True

    def _put(self, question: Callable[[Answer], object], future: Future[Any]) -> None:
        if future.done():  # the channel ended before we came to it
            return
        try:
            question(lambda answer: _succeed(future, answer))
        except Exception as error:  # the asker's business, not this thread's, which serves others too
            _fail(future, understood(error))


def understood(error: Exception) -> Exception:
    """What pika says of a question it does not put, in our words."""
    if isinstance(error, ChannelWrongStateError | ConnectionWrongStateError):
        return ending(error)
    if isinstance(error, UnsupportedAMQPFieldException | ShortStringTooLong | struct.error | UnicodeError):
        return ValueError(f"AMQP cannot carry this: {type(error).__name__} {error}")
    if isinstance(error, NoFreeChannels):
        return BrokerUnavailable("This connection has as many channels as RabbitMQ allows; close some.")
    return error


def _succeed(future: Future[Any], answer: Any) -> None:
    if not future.done():
        future.set_result(answer)


def _fail(future: Future[Any], error: Exception) -> None:
    try:
        future.set_exception(error)
    except InvalidStateError:
        return  # it was answered at the last moment

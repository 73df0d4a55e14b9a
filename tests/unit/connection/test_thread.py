"""The connection's thread: what is posted is done there in order, and however it ends, everybody hears of it once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pika
import pytest
from pika.adapters.select_connection import IOLoop
from pika.exceptions import (
    AMQPConnectionError,
    ConnectionClosedByBroker,
    ConnectionClosedByClient,
    ConnectionWrongStateError,
)

from patterns import connection_thread
from patterns.connection_thread import PikaThread
from patterns.errors import BrokerUnavailable, ConnectionLost

SOON = 10.0


class Pika:
    """Stands in for pika's connection.  ``manners``: what it does when it is asked to connect, and to close."""

    def __init__(
        self, manners: str, on_open_callback: Callable[[Any], None], on_open_error_callback: Callable[..., None],
        on_close_callback: Callable[..., None], custom_ioloop: IOLoop,
    ) -> None:
        self.manners, self._closed = manners, on_close_callback
        self.is_open, self.is_closed = manners != "silent", False
        self.packets, self.cuts, self.ended_by = 0, 0, Exception()
        self._loop = custom_ioloop
        self.hooks: dict[str, Callable[..., None]] = {}
        if manners == "refuses":
            custom_ioloop.add_callback(lambda: on_open_error_callback(self, AMQPConnectionError("no")))
        elif manners == "breaks":
            raise ZeroDivisionError("nobody foresaw this")
        elif manners != "silent":
            custom_ioloop.add_callback(lambda: on_open_callback(self))

    def add_on_connection_blocked_callback(self, told: Callable[..., None]) -> None:
        self.hooks["blocked"] = told

    def add_on_connection_unblocked_callback(self, told: Callable[..., None]) -> None:
        self.hooks["unblocked"] = told

    @contextmanager
    def together(self) -> Iterator[None]:
        self.packets += 1
        yield

    def close(self) -> None:
        if not self.is_open:
            raise ConnectionWrongStateError
        self.is_open = False
        if self.manners != "does not close":
            self.end(ConnectionClosedByClient(200, "bye"))

    def cut(self) -> None:
        self.cuts += 1
        self._loop.add_callback(lambda: self.end(ConnectionClosedByClient(0, "cut off")))

    def end(self, error: Exception) -> None:
        self.is_open, self.is_closed, self.ended_by = False, True, error
        self._closed(self, error)


class Ended:
    """A thread, and what is told of its end."""

    def __init__(self, manners: str) -> None:
        self.told: list[str] = []
        parameters = SimpleNamespace(host="h", port=1, virtual_host="/", stack_timeout=0.1, manners=manners)
        self.thread = PikaThread(parameters, "test", lambda lost: self.told.append(str(lost)))  # type: ignore[arg-type]

    def open(self) -> PikaThread:
        self.thread.open()
        return self.thread

    def is_over(self) -> bool:
        self.thread._thread.join(SOON)
        return not self.thread._thread.is_alive()

    def done(self, action: Callable[[], object]) -> Any:
        """What an action posted to the thread answers."""
        future: Future[Any] = Future()
        self.thread.post(lambda: future.set_result(action()))
        return future.result(SOON)


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_thread, "PikaConnection", lambda parameters, **rest: Pika(parameters.manners, **rest))
    monkeypatch.setattr(connection_thread, "CLOSE_SECONDS", 0.1)


def test_what_is_posted_is_done_on_the_thread_in_order_and_together() -> None:
    ended = Ended("")
    thread, done = ended.open(), list[object]()
    begun, go_on = threading.Event(), threading.Event()
    thread.post(lambda: (begun.set(), go_on.wait(SOON)))
    assert begun.wait(SOON)
    for number in range(3):
        thread.post(lambda number=number: done.append((number, threading.current_thread().name)))
    go_on.set()
    assert ended.done(lambda: len(done)) == 3
    assert done == [(number, "amqp:test") for number in range(3)]
    before = thread.pika.packets
    thread.close()
    assert before in (2, 3) and ended.is_over() and thread._thread.daemon, "a process that ends does not wait for it"


def test_closing_says_goodbye_after_what_was_posted_and_may_be_done_twice() -> None:
    ended, done = Ended(""), list[bool]()
    thread = ended.open()
    thread.post(lambda: done.append(thread.pika.is_open))
    for _ in range(2):
        thread.close()
        assert not thread._thread.is_alive()
    assert done == [True] and ended.told == ["This connection was closed by its owner"]
    assert "bye" in str(thread.pika.ended_by), "it was not cut off"
    with pytest.raises(ConnectionLost, match="closed by its owner"):
        thread.post(lambda: None)


def test_the_thread_itself_may_close() -> None:
    ended = Ended("")
    thread = ended.open()
    thread.post(thread.close)
    assert ended.is_over() and ended.told == ["This connection was closed by its owner"]


def test_the_line_is_cut_when_goodbye_is_not_answered() -> None:
    ended = Ended("does not close")
    thread = ended.open()
    ended.done(lambda: (thread._close(), thread._close()))
    assert ended.told == [], "saying it twice is no mistake"
    thread.close()
    assert thread.pika.is_closed and ended.is_over()
    assert ended.told == ["This connection was closed by its owner"]


def test_a_server_that_refuses_is_told_with_its_reason() -> None:
    ended = Ended("refuses")
    with pytest.raises(BrokerUnavailable, match="RabbitMQ does not answer at h:1: no"):
        ended.open()
    assert ended.is_over() and ended.told == ["never connected"]
    ended.thread.close()


def test_a_server_that_is_silent_is_given_up() -> None:
    ended = Ended("silent")
    with pytest.raises(BrokerUnavailable, match=r"RabbitMQ does not answer at h:1\."):
        ended.open()
    assert ended.is_over() and ended.told == ["never connected"] and ended.thread.pika.is_closed


def test_nobody_waits_for_a_thread_that_cannot_even_begin() -> None:
    ended = Ended("breaks")
    with pytest.raises(BrokerUnavailable):
        ended.open()
    assert ended.is_over() and ended.told == ["Talking to RabbitMQ failed: ZeroDivisionError: nobody foresaw this"]


def test_a_surprise_on_the_thread_ends_the_connection_for_everybody() -> None:
    ended = Ended("")
    thread, done = ended.open(), list[None]()
    begun, go_on = threading.Event(), threading.Event()

    def surprise() -> None:
        begun.set()
        assert go_on.wait(SOON)
        raise ZeroDivisionError("by zero")

    thread.post(surprise)
    assert begun.wait(SOON)
    thread.post(lambda: done.append(None))
    go_on.set()
    assert ended.is_over() and thread.pika.is_closed and done == [] == thread._posted
    assert ended.told == ["Talking to RabbitMQ failed: ZeroDivisionError: by zero"]


def test_a_line_that_is_closed_is_not_cut() -> None:
    ended = Ended("")
    thread = ended.open()

    def surprise() -> None:
        thread.pika.end(ConnectionClosedByClient(200, "bye"))
        raise ZeroDivisionError

    thread.post(surprise)
    assert ended.is_over() and thread.pika.cuts == 0 and ended.told == ["This connection was closed by its owner"]


def test_the_brokers_own_end_is_told_once() -> None:
    ended = Ended("")
    thread = ended.open()
    thread.post(lambda: thread.pika.end(ConnectionClosedByBroker(320, "shutdown")))
    assert ended.is_over()
    thread.abort(ConnectionLost("later"))
    assert ended.told == ["The connection to RabbitMQ is lost: 320 shutdown"] == [str(thread.lost)]


def test_a_channels_error_that_ends_the_connection_is_a_lost_connection() -> None:
    ended = Ended("")
    thread = ended.open()
    thread.post(lambda: thread.pika.end(pika.exceptions.ChannelClosedByBroker(404, "no queue")))
    assert ended.is_over() and isinstance(thread.lost, ConnectionLost) and "404" in ended.told[0]


def test_it_knows_while_the_broker_takes_no_messages() -> None:
    ended = Ended("")
    thread = ended.open()
    assert thread.blocked is None
    ended.done(lambda: thread.pika.hooks["blocked"](None, SimpleNamespace(method=SimpleNamespace(reason="low on memory"))))
    assert thread.blocked == "low on memory"
    ended.done(lambda: thread.pika.hooks["unblocked"](None, None))
    assert thread.blocked is None
    thread.close()

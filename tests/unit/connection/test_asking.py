"""Questions to the broker: whatever happens to connection and channel, nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from pika.exceptions import ChannelWrongStateError, NoFreeChannels, ShortStringTooLong

from patterns.connection_asking import Answer, Questions
from patterns.errors import BrokerUnavailable, ChannelClosed, ConnectionLost

SOON = 30.0


class Thread:
    """Stands in for the connection's thread; the test does what was posted, when it wants."""

    def __init__(self) -> None:
        self.posted: list[Callable[[], object]] = []
        self.something = threading.Semaphore(0)
        self.aborted: ConnectionLost | None = None

    def post(self, action: Callable[[], object]) -> None:
        self.posted.append(action)
        self.something.release()

    def abort(self, lost: ConnectionLost) -> None:
        self.aborted = lost

    def work(self) -> None:
        assert self.something.acquire(timeout=SOON)
        self.posted.pop(0)()


@pytest.fixture
def thread() -> Thread:
    return Thread()


@pytest.fixture
def questions(thread: Thread) -> Questions:
    return Questions(thread)  # type: ignore[arg-type]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_an_answer_reaches_whoever_asked(questions: Questions, thread: Thread, pool: ThreadPoolExecutor) -> None:
    answers: list[Answer] = []
    asking: list[Future[Any]] = []
    for _ in range(2):
        asking.append(pool.submit(questions.ask, answers.append))
        thread.work()
    answers[1]("second")
    answers[0]("first")
    assert [each.result(SOON) for each in asking] == ["first", "second"]
    assert not questions._waiting, "nobody waits any more"


def test_the_end_is_told_to_those_who_wait_and_to_those_who_come(
    questions: Questions, thread: Thread, pool: ThreadPoolExecutor
) -> None:
    answers: list[Answer] = []
    asking = pool.submit(questions.ask, answers.append)
    thread.work()
    assert questions.end(ChannelClosed(404, "no queue"))
    assert not questions.end(ConnectionLost("later"))
    with pytest.raises(ChannelClosed, match="404 no queue"):
        asking.result(SOON)
    with pytest.raises(ChannelClosed, match="404 no queue"):
        questions.ask(answers.append)
    with pytest.raises(ChannelClosed, match="404 no queue"):
        questions.check()
    answers[0]("too late, and harmless")


def test_a_question_is_not_put_any_more_when_the_end_came_first(
    questions: Questions, thread: Thread, pool: ThreadPoolExecutor
) -> None:
    put: list[Answer] = []
    asking = pool.submit(questions.ask, put.append)
    assert thread.something.acquire(timeout=SOON)
    questions.end(ConnectionLost("gone"))
    with pytest.raises(ConnectionLost, match="gone"):
        asking.result(SOON)
    thread.posted.pop()()
    assert put == []


@pytest.mark.parametrize("timeout", [0.01, None])
def test_a_broker_that_owes_an_answer_counts_as_lost(
    timeout: float | None, questions: Questions, thread: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patterns.connection_asking.ANSWER_SECONDS", 0.01)
    with pytest.raises(ConnectionLost, match=r"did not answer within 0\.01 s"):
        questions.ask(lambda _: None, timeout)
    assert thread.aborted is not None


@pytest.mark.parametrize(
    ("error", "told", "text"),
    [
        (ZeroDivisionError("by zero"), ZeroDivisionError, "by zero"),
        (ShortStringTooLong("s" * 256), ValueError, "AMQP cannot carry this: ShortStringTooLong"),
        (NoFreeChannels(), BrokerUnavailable, "as many channels"),
        (ChannelWrongStateError("Channel is closing."), ConnectionLost, "Channel is closing"),
    ],
)
def test_an_error_while_asking_is_the_askers(
    questions: Questions, thread: Thread, pool: ThreadPoolExecutor, error: Exception, told: type[Exception], text: str
) -> None:
    def question(_: Answer) -> None:
        raise error

    asking = pool.submit(questions.ask, question)
    thread.work()
    with pytest.raises(told, match=text):
        asking.result(SOON)
    answers: list[Answer] = []
    asking = pool.submit(questions.ask, answers.append)  # the thread serves on
    thread.work()
    answers[0]("fine")
    assert asking.result(SOON) == "fine"


def test_an_error_after_the_answer_is_nobodys(questions: Questions, thread: Thread, pool: ThreadPoolExecutor) -> None:
    def question(answer: Answer) -> None:
        answer("fine")
        raise ZeroDivisionError

    asking = pool.submit(questions.ask, question)
    thread.work()
    assert asking.result(SOON) == "fine"

"""The eight helpers of each service's ``rabbitmq.py``, used by hand as from a Python shell, on either transport."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import UUID, uuid4

import pytest

from patterns import topology
from patterns.address import Direct, Fanout, Queue, Rpc, Topic
from patterns.errors import AnswerTimeout, Unroutable
from patterns.message import Message
from patterns.settings import configure
from patterns.shop import SERVICES, OrderStatus, StockRejected, StockReleased
from patterns.transport import transport, use

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(autouse=True, params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    url = request.getfixturevalue("module_rabbitmq_url") if request.param == "real" else ""
    configure(rabbitmq_url=url, orderflow_home=tmp_path)
    use(None)
    yield
    use(None)


@pytest.fixture(params=SERVICES)
def mq(request: pytest.FixtureRequest) -> Any:
    return import_module(f"{request.param}.rabbitmq")


@pytest.fixture
def heard() -> SimpleQueue[Message]:
    return SimpleQueue()


def said() -> StockReleased:
    return StockReleased(order_id=uuid4())


def test_default_one_reader_gets_it(mq: Any, heard: SimpleQueue[Message]) -> None:
    message, queue = said(), Queue(f"{mq.messenger.service}.by-hand")
    reading = mq.consume_default(queue, heard.put)
    mq.publish_default(queue, message)
    assert heard.get(timeout=30) == message
    reading.stop()


def test_fanout_everyone_who_listens_gets_it(mq: Any, heard: SimpleQueue[Message]) -> None:
    message, everyone = said(), Fanout(f"EX_{uuid4()}")
    listening = [mq.consume_fanout(everyone, heard.put)]
    other = import_module("user.rabbitmq" if mq.messenger.service != "user" else "order.rabbitmq")
    listening.append(other.consume_fanout(everyone, heard.put))
    mq.publish_fanout(everyone, message)
    assert [heard.get(timeout=30) for _ in listening] == [message, message]
    for one in listening:
        one.stop()


def test_topic_whoever_bound_a_pattern_gets_it(mq: Any, heard: SimpleQueue[Message]) -> None:
    message = said()
    listening = mq.consume_topic(Topic("byhand.*"), heard.put)
    mq.publish_topic(Topic("byhand.released"), message)
    assert heard.get(timeout=30) == message
    with pytest.raises(Unroutable, match="No queue is bound"):
        mq.publish_topic(Topic("nobody.listens"), message)
    listening.stop()


def test_rpc_the_answer_comes_back(mq: Any) -> None:
    def answer(question: Message) -> OrderStatus:
        return OrderStatus(order_id=question.order_id, status="SUCCESS")

    question, procedure = said(), Rpc(f"{mq.messenger.service}_by_hand")
    answering = mq.consume_rpc(procedure, answer)
    found = mq.publish_rpc(procedure, question, timeout=30)
    assert found == OrderStatus(order_id=question.order_id, status="SUCCESS")
    answering.stop()


def test_direct_goes_by_the_topic_helpers(heard: SimpleQueue[Message]) -> None:
    mq, message = import_module("order.rabbitmq"), said()
    listening = mq.consume_topic(Direct("by.hand"), heard.put)
    mq.publish_topic(Direct("by.hand"), message)
    assert heard.get(timeout=30) == message
    listening.stop()


def test_a_question_nobody_answers_times_out_as_unknown() -> None:
    mq, procedure = import_module("order.rabbitmq"), Rpc("nobody_answers")
    mq.consume_rpc(procedure, lambda _: None).stop()
    with pytest.raises(AnswerTimeout, match="may have been handled or not"):
        mq.publish_rpc(procedure, said(), timeout=0.05)


def test_a_message_to_nowhere_is_told() -> None:
    mq = import_module("order.rabbitmq")
    with pytest.raises(Unroutable):
        mq.publish_default(Queue("no.such.queue"), said())
    with pytest.raises(Unroutable):
        mq.publish_fanout(Fanout("EX_NOBODY"), said())
    with pytest.raises(Unroutable):
        mq.publish_rpc(Rpc("no_such_procedure"), said())


def test_a_message_whose_handler_fails_is_parked_and_the_next_one_is_read(heard: SimpleQueue[Message]) -> None:
    mq, bad, good = import_module("order.rabbitmq"), StockRejected(order_id=uuid4(), reason="bad"), said()

    def handler(message: Message) -> None:
        if message == bad:
            raise RuntimeError("no idea what to do")
        heard.put(message)

    reading = mq.consume_default(Queue("order.by-hand"), handler)
    mq.publish_default(Queue("order.by-hand"), bad)
    mq.publish_default(Queue("order.by-hand"), good)
    assert heard.get(timeout=30) == good
    reading.stop()
    connection = transport().connect("test")
    parked = connection.channel().get(topology.parked_queue("order"), auto_ack=True)
    connection.close()
    assert parked is not None
    assert parked.properties.headers["parked_because"] == "no idea what to do"
    assert UUID(str(parked.properties.message_id))


def test_the_lines_in_the_readme_work(capsys: pytest.CaptureFixture[str]) -> None:
    """The session in the README, typed in word by word, prints what it says."""
    [session] = re.findall(r"```python\n(>>>.*?)```", README.read_text(), re.DOTALL)
    lines = [line.removeprefix(">>> ") for line in session.splitlines() if line.startswith(">>> ")]
    expected = [line for line in session.splitlines() if line and not line.startswith(">>> ")]
    printed: SimpleQueue[str] = SimpleQueue()
    names: dict[str, Any] = {"print": lambda *words: printed.put(" ".join(map(str, words)))}
    for line in lines:
        exec(line, names)  # noqa: S102 (it is our own README)
        if line.startswith("publish"):
            assert [printed.get(timeout=30)] == expected

"""Direct reply-to: questions, answers, and who may ask.  https://www.rabbitmq.com/docs/direct-reply-to"""

from __future__ import annotations

import re

import pytest

from patterns.amqp import DIRECT_REPLY_TO, Receipt
from tests.contract.client import Client, closes, ended, tag


def asked(asker: Client, server: Client, queue: str) -> str:
    """Ask something; answers where the server is to send its answer."""
    asker.said(queue, "question", reply_to=DIRECT_REPLY_TO, correlation_id="7")
    question = server.get(queue)
    server.channel.ack(tag(question))
    reply_to = question.properties.reply_to
    assert reply_to is not None
    assert reply_to.startswith(f"{DIRECT_REPLY_TO}.")
    return reply_to


def test_a_question_is_answered(client: Client, other: Client, kind: str) -> None:
    queue = client.queue(kind)
    consumer = client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    reply_to = asked(client, other, queue)
    assert other.say(reply_to, "answer", mandatory=False, correlation_id="7") == [Receipt.CONFIRMED]
    [answer] = client.hear(1)
    assert (answer.body, answer.tag, answer.properties.correlation_id) == (b"answer", None, "7")
    assert (answer.queue, answer.consumer, answer.routing_key) == (DIRECT_REPLY_TO, consumer, reply_to)


def test_an_answer_takes_no_delivery_tag(client: Client, other: Client) -> None:
    client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    reply_to = asked(client, other, client.queue())
    queue = client.queue()
    client.channel.consume(queue)
    other.say(reply_to, "answer", mandatory=False)
    assert client.heard(1) == ["answer"]
    other.said(queue, "m")
    assert [each.tag for each in client.hear(1)] == [1]


def test_a_mandatory_answer_is_returned_although_it_arrives(client: Client, other: Client) -> None:
    client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    reply_to = asked(client, other, client.queue())
    assert other.say(reply_to, "answer", mandatory=True) == [Receipt.RETURNED]
    assert client.heard(1) == ["answer"]


def test_who_does_not_listen_for_the_answer_may_not_ask(client: Client, other: Client) -> None:
    queue = client.queue()
    other.channel.consume(DIRECT_REPLY_TO, auto_ack=True)  # on another channel does not count
    assert client.say(queue, "question", reply_to=DIRECT_REPLY_TO) == [Receipt.UNKNOWN]
    assert ended(client.channel).code == 406
    client.again()
    assert client.drain(queue) == []


def test_answers_are_heard_without_acks_and_by_one_consumer(client: Client) -> None:
    with closes(client, 406):
        client.channel.consume(DIRECT_REPLY_TO)
    client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    with closes(client, 406):
        client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)


@pytest.mark.parametrize("how", ["channel", "connection", "consumer"])
def test_the_answer_to_somebody_who_is_gone_is_gone(client: Client, other: Client, how: str) -> None:
    consumer = client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    reply_to = asked(client, other, other.queue())
    if how == "consumer":
        client.channel.cancel(consumer)
    else:
        getattr(client, how).close()
    assert other.say(reply_to, "answer", mandatory=False) == [Receipt.CONFIRMED]
    assert other.say(reply_to, "answer") == [Receipt.RETURNED]


def test_a_server_may_look_whether_the_asker_still_waits(client: Client, other: Client) -> None:
    client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    reply_to = asked(client, other, client.queue())
    other.channel.declare_queue(reply_to, passive=True)
    client.channel.close()
    with closes(other, 404):
        other.channel.declare_queue(reply_to, passive=True)


def test_nobody_gets_an_answer_by_guessing(client: Client) -> None:
    client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    assert client.say(f"{DIRECT_REPLY_TO}.guessed", "m", mandatory=False) == [Receipt.CONFIRMED]
    assert client.say(f"{DIRECT_REPLY_TO}.guessed", "m") == [Receipt.RETURNED]
    assert client.rest() == []


def test_many_questions_have_each_their_answer(client: Client, other: Client) -> None:
    queue = client.queue()
    client.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    other.channel.consume(queue)
    for number in range(20):
        client.said(queue, str(number), reply_to=DIRECT_REPLY_TO, correlation_id=str(number))
    for question in other.hear(20):
        properties = question.properties
        other.say(
            properties.reply_to or "", f"answer {question.body.decode()}", mandatory=False,
            correlation_id=properties.correlation_id,
        )
    for answer in client.hear(20):
        assert re.fullmatch(f"answer {answer.properties.correlation_id}", answer.body.decode())

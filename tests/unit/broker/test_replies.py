from __future__ import annotations

import pytest

from patterns.amqp import DIRECT_REPLY_TO
from patterns.broker.effects import ChannelEnded
from tests.unit.broker.bench import Bench, refused


def ask(bench: Bench) -> str:
    """Ask on the first channel; answers the address to reply to, as the one who is asked sees it."""
    bench.queue("questions")
    assert bench.publish("questions", "question", reply_to=DIRECT_REPLY_TO) == "stored"
    fetched = bench.machine.get(bench.channel, "questions", 0.0, auto_ack=True)
    assert fetched is not None
    assert fetched.message.properties.reply_to is not None
    return fetched.message.properties.reply_to


def test_a_reply_reaches_the_asker(bench: Bench) -> None:
    tag = bench.consume(DIRECT_REPLY_TO, auto_ack=True)
    address = ask(bench)
    assert address.startswith("amq.rabbitmq.reply-to.")
    assert bench.publish(address, "reply", channel=bench.another(), correlation_id="1") == "stored"
    [reply] = bench.deliveries()
    assert (reply.channel, reply.consumer, reply.queue, reply.tag) == (bench.channel, tag, DIRECT_REPLY_TO, None)
    assert (reply.message.body, reply.message.exchange, reply.message.routing_key) == (b"reply", "", address)


def test_a_mandatory_reply_is_returned_although_it_arrived(bench: Bench) -> None:
    bench.consume(DIRECT_REPLY_TO, auto_ack=True)
    assert bench.publish(ask(bench), "reply", mandatory=True) == "returned"
    assert bench.bodies() == ["reply"]


def test_each_asker_has_an_address_of_its_own(bench: Bench) -> None:
    other = Bench()
    other.machine, other.connection = bench.machine, bench.connection
    other.channel = bench.another()
    for each in (bench, other):
        each.consume(DIRECT_REPLY_TO, auto_ack=True)
    mine, theirs = ask(bench), ask(other)
    assert mine != theirs
    bench.publish(theirs, "for them")
    assert [(each.channel, each.message.body) for each in bench.deliveries()] == [(other.channel, b"for them")]


@pytest.mark.parametrize("leave", ["channel", "connection", "cancel"])
def test_a_reply_to_somebody_who_left_is_dropped(bench: Bench, leave: str) -> None:
    tag = bench.consume(DIRECT_REPLY_TO, auto_ack=True)
    address = ask(bench)
    assert bench.machine.declare_queue(bench.channel, address, 0.0, passive=True).consumers == 1
    server = bench.another()
    match leave:
        case "channel":
            bench.machine.close_channel(bench.channel, 0.0)
        case "connection":
            bench.machine.disconnect(bench.connection, 0.0)
        case "cancel":
            bench.machine.cancel(bench.channel, tag, 0.0)
    assert bench.publish(address, "late", channel=server) == "stored"
    assert bench.deliveries() == []
    with refused(404):
        bench.machine.declare_queue(server, address, 0.0, passive=True)


def test_an_address_of_an_earlier_life_reaches_nobody(bench: Bench) -> None:
    bench.consume(DIRECT_REPLY_TO, auto_ack=True)
    address = ask(bench)
    bench.restart()
    bench.consume(DIRECT_REPLY_TO, auto_ack=True)
    assert ask(bench) != address
    bench.publish(address, "for the dead")
    assert bench.deliveries() == []


def test_asking_without_listening_closes_the_channel(bench: Bench) -> None:
    bench.consume(DIRECT_REPLY_TO, auto_ack=True, channel=bench.another())  # listening elsewhere does not count
    with refused(406, "fast reply consumer does not exist"):
        bench.publish("questions", reply_to=DIRECT_REPLY_TO)
    assert bench.effects(ChannelEnded) != []


def test_replies_cannot_be_acknowledged_and_are_listened_to_once(bench: Bench) -> None:
    with refused(406, "reply consumer cannot acknowledge"):
        bench.consume(DIRECT_REPLY_TO, channel=bench.another())
    bench.consume(DIRECT_REPLY_TO, auto_ack=True)
    with refused(406, "reply consumer already set"):
        bench.consume(DIRECT_REPLY_TO, auto_ack=True)


def test_an_ordinary_reply_address_is_left_alone(bench: Bench) -> None:
    bench.queue("q")
    bench.publish("q", reply_to="my.answers")
    assert bench.machine.queues["q"].ready[0].message.properties.reply_to == "my.answers"

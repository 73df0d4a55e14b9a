"""A client's message says that it died before, in words no broker would use.

RabbitMQ 3.10 believes the ``x-death`` header of whoever publishes.  A forged one, copied into a retry queue, crashed that
queue's dead-letter worker; after the second crash no queue of the node moved its dead letters, so nobody's retries came
back.  See docs/brokers.md.
"""

from __future__ import annotations

from typing import Any, cast

import pytest

from patterns.amqp import Delivery, Outgoing, Properties
from patterns.connection import RabbitTransport
from patterns.retry import Retries
from patterns.settings import configure, settings
from patterns.topology import declare, declare_queue
from patterns.voice import Voice

QUEUE = "product.reserve"


@pytest.mark.parametrize("forged", [{"x-death": ["x"]}, {"x-death": [{"queue": 5}]}, {"x-death": "x"}])
def test_a_forged_death_stops_nobodys_retries(rabbitmq_url: str, forged: dict[str, Any]) -> None:
    configure(rabbitmq_url=rabbitmq_url, retry_delays_seconds=(0.1,))
    connection = RabbitTransport(rabbitmq_url).connect("test")
    channel = connection.channel()
    declare(channel, "product", {})
    declare_queue(channel, QUEUE, {}, settings())
    retries = Retries("product", cast("Voice", channel))
    channel.consume(QUEUE)
    for body, headers in ((b"hostile", forged), (b"honest", {})):
        channel.publish([Outgoing("", QUEUE, body, Properties(headers=headers))])
        [failed] = channel.take(1, 10)
        assert isinstance(failed, Delivery)
        retries.again_or_park(failed, "no")
        assert failed.tag is not None
        channel.ack(failed.tag)
    back = []
    while len(back) < 2 and (taken := channel.take(1, 10)):
        back += [each.body for each in taken if isinstance(each, Delivery)]
    assert sorted(back) == [b"honest", b"hostile"]
    connection.close()

"""Where arguments are tried out: short-lived queues of our own, and the few words to use them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from lab.doctor.views import NAME
from patterns.amqp import Cancelled, Channel, Connection, Delivery, Outgoing, Properties, Receipt
from patterns.errors import ChannelClosed
from patterns.topology import SAFELY_DEAD_LETTERED

EXPIRES = 60_000
"""Milliseconds after which the broker deletes what we did not, because we were killed meanwhile."""
SAFELY = {name.removeprefix("x-").replace("-", "_"): value for name, value in SAFELY_DEAD_LETTERED.items()}
SOON = 3.0
"""Seconds within which what is going to happen has happened; a working broker needs some milliseconds."""


class Bench:
    """One channel and the queues made on it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.made: list[str] = []

    def queue(self, **arguments: Any) -> str:
        """A quorum queue (they cannot be exclusive, so it expires) with these arguments: ``-`` is written ``_``."""
        name = f"{NAME}.{token_hex(4)}"
        given = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
        self.channel.declare_queue(name, arguments={"x-queue-type": "quorum", "x-expires": EXPIRES, **given})
        self.made.append(name)
        return name

    def exchange_before(self, queue: str) -> str:
        """A fanout exchange bound to this queue, which goes with it."""
        self.channel.declare_exchange(queue, "fanout", auto_delete=True)
        self.channel.bind(queue, queue)
        return queue

    def say(self, key: str, *, exchange: str = "", **properties: Any) -> list[Receipt]:
        """Publish an empty message; answers what became of it."""
        return self.channel.publish([Outgoing(exchange, key, b"", Properties(**properties))], timeout=SOON)

    def hear(self, queue: str) -> None:
        """Start to read a queue, one message at a time."""
        self.channel.qos(1)
        self.channel.consume(queue)

    def next(self) -> Delivery | None:
        """The next message from any queue we read; None when none comes soon."""
        until = time.monotonic() + SOON
        while (left := until - time.monotonic()) > 0:
            for item in self.channel.take(1, left):
                if not isinstance(item, Cancelled):
                    return item
        return None

    def give_back(self, queue: str, dead: str, how: str, most: int) -> tuple[int, str]:
        """Say one message and give it back until it is dead-lettered, or often enough.

        ``how``: ``reject`` or ``nack``.  Answers how often it was delivered, and why it died.
        """
        self.hear(queue)
        self.channel.consume(dead)
        self.say(queue)
        for number in range(most):
            if (delivery := self.next()) is None:
                return number, ""
            if delivery.queue == dead:
                return number, why_dead(delivery)
            getattr(self.channel, how)(delivery.tag, requeue=True)
        return most, ""


def dead_lettered_to(queue: str) -> dict[str, Any]:
    """Arguments that send a queue's dead letters to this one, at least once."""
    return {"dead_letter_exchange": "", "dead_letter_routing_key": queue, **SAFELY}


def why_dead(delivery: Delivery) -> str:
    """Why a message was dead-lettered, in the broker's word; empty if it was not."""
    deaths: Any = delivery.properties.headers.get("x-death")
    return str(deaths[0].get("reason", "")) if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else ""


@contextmanager
def bench(connection: Connection) -> Iterator[Bench]:
    """A bench, tidied up afterwards, whatever happened to its channel."""
    bench = Bench(connection.channel())
    try:
        yield bench
    finally:
        bench.channel.close()
        if connection.is_open:
            _tidy(connection, bench.made)


def _tidy(connection: Connection, queues: list[str]) -> None:
    for queue in queues:
        channel = connection.channel()
        try:
            channel.delete_queue(queue)
        except ChannelClosed:
            continue  # it expires by itself
        finally:
            channel.close()

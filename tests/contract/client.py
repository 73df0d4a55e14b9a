"""A client as the cases use it: one connection, one channel, and a few words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from patterns.amqp import Cancelled, Channel, Delivery, Outgoing, Properties, Receipt, Transport
from patterns.errors import ChannelClosed

SHORT_LIFE = 40
"""Milliseconds: how long lives what is to die soon."""

SOON = 10.0
"""The longest a broker may take; nothing waits so long unless it fails."""


class Names:
    """Names nobody has used, and what was declared under them."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.queues, self.exchanges, self._count = prefix, list[str](), list[str](), 0

    def fresh(self, what: str) -> str:
        self._count += 1
        return f"{self.prefix}.{self._count}.{what}"


class Client:
    """One connection with one channel; ``again()`` opens another channel."""

    def __init__(self, transport: Transport, names: Names, label: str = "client") -> None:
        self._names = names
        self.connection = transport.connect(label)
        self.channel = self.connection.channel()

    def again(self) -> Channel:
        """Open a new channel in place of the old."""
        self.channel = self.connection.channel()
        return self.channel

    def close(self) -> None:
        self.connection.close()

    @property
    def prefix(self) -> str:
        """What nobody else's names begin with."""
        return self._names.prefix

    # --- topology

    def queue(self, kind: str = "classic", *, durable: bool = True, exclusive: bool = False, auto_delete: bool = False,
              **arguments: Any) -> str:
        """Declare a queue of a fresh name; ``message_ttl=5`` is the argument x-message-ttl."""
        name = self._names.fresh(kind)
        self._names.queues.append(name)
        given = {"x-queue-type": kind} | {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
        self.channel.declare_queue(name, durable=durable, exclusive=exclusive, auto_delete=auto_delete, arguments=given)
        return name

    def exchange(self, kind: str, *, auto_delete: bool = False, **arguments: Any) -> str:
        """Declare an exchange of a fresh name."""
        name = self._names.fresh(kind)
        self._names.exchanges.append(name)
        given = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.channel.declare_exchange(name, kind, auto_delete=auto_delete, arguments=given)
        return name

    def fresh(self, what: str) -> str:
        """A name nobody has used."""
        return self._names.fresh(what)

    # --- speaking and hearing

    def say(self, key: str, *bodies: str, exchange: str = "", mandatory: bool = True, **properties: Any) -> list[Receipt]:
        """Publish, and answer what became of each."""
        envelope = Properties(**properties)
        return self.channel.publish([Outgoing(exchange, key, body.encode(), envelope, mandatory) for body in bodies])

    def said(self, key: str, *bodies: str, **properties: Any) -> None:
        """Publish what must be confirmed."""
        assert self.say(key, *bodies, **properties) == [Receipt.CONFIRMED] * len(bodies)

    def hear(self, count: int, limit: int = 1000) -> list[Delivery]:
        """Take deliveries until there are so many."""
        heard: list[Delivery] = []
        until = time.monotonic() + SOON
        while len(heard) < count:
            taken = self.channel.take(limit, max(0.0, until - time.monotonic()))
            assert taken, f"{len(heard)} of {count} came: {[each.body for each in heard]}"
            heard += deliveries(taken)
        assert len(heard) == count, [each.body for each in heard]
        return heard

    def heard(self, count: int) -> list[str]:
        """The bodies of the next deliveries."""
        return [each.body.decode() for each in self.hear(count)]

    def rest(self, *queues: str) -> list[str]:
        """The bodies of what these queues have delivered here by now; mostly to see that it is nothing.

        A queue answers its channel in order, so after its answer (a quorum queue's second) all it had sent is here.
        """
        for _ in range(2):
            for queue in queues:
                self.channel.declare_queue(queue, passive=True)
        return [each.body.decode() for each in deliveries(self.channel.take(1000, 0))]

    def get(self, queue: str) -> Delivery:
        """Fetch the next message, which must come soon."""
        until = time.monotonic() + SOON
        while time.monotonic() < until:
            if (found := self.channel.get(queue)) is not None:
                return found
        raise AssertionError(f"nothing arrived in {queue}")

    def drain(self, queue: str) -> list[str]:
        """The bodies of all that is ready in the queue, fetched and acknowledged."""
        bodies = []
        while (found := self.channel.get(queue, auto_ack=True)) is not None:
            bodies.append(found.body.decode())
        return bodies

    def count(self, queue: str) -> int:
        """How many messages are ready."""
        return self.channel.declare_queue(queue, passive=True).messages

    def until_count(self, queue: str, count: int) -> None:
        """Wait until so many messages are ready."""
        eventually(lambda: self.count(queue) == count, lambda: f"{queue} has {self.count(queue)} messages, not {count}")


def deliveries(items: list[Delivery | Cancelled]) -> list[Delivery]:
    """The items, which are all deliveries."""
    for item in items:
        assert isinstance(item, Delivery)
    return [item for item in items if isinstance(item, Delivery)]


def tag(delivery: Delivery) -> int:
    """The delivery's tag, which must be there."""
    assert delivery.tag is not None
    return delivery.tag


def eventually(check: Callable[[], bool], why: Callable[[], str]) -> None:
    """Ask the broker again and again until it says yes."""
    until = time.monotonic() + SOON
    while not check():
        assert time.monotonic() < until, why()


@contextmanager
def closes(client: Client, code: int) -> Iterator[None]:
    """The channel is closed with this code, and stays so; the client gets another one, on the same connection."""
    channel = client.channel
    with pytest.raises(ChannelClosed) as caught:
        yield
    assert caught.value.code == code, caught.value
    with pytest.raises(ChannelClosed) as again:
        channel.qos(1)
    assert (again.value.code, channel.is_open, client.connection.is_open) == (code, False, True)
    channel.close()
    client.again()


def ended(channel: Channel) -> ChannelClosed:
    """Wait for the channel to be closed by the broker, after a mistake nobody waited for; answers why."""
    with pytest.raises(ChannelClosed) as caught:
        while channel.take(1000, SOON):
            continue
    assert not channel.is_open
    return caught.value

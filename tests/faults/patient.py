"""A shop's topology on a RabbitMQ of the test's own, to be spoilt and shown to the doctor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.doctor import Finding, Report, Verdict, examine
from lab.servers import PrivateRabbitMQ
from lab.shop import wirings_of
from patterns import topology
from patterns.amqp import Channel, Outgoing, Receipt
from patterns.connection import RabbitConnection, RabbitTransport
from patterns.errors import ChannelClosed
from patterns.settings import configure
from patterns.shop import SERVICES


class Patient:
    """The words a test needs to spoil a topology and to ask what is there."""

    def __init__(self, server: PrivateRabbitMQ, vhost: str, home: Path, connection: RabbitConnection) -> None:
        self.server, self.vhost, self.home, self.connection = server, vhost, home, connection
        self.channel: Channel = connection.channel()

    def configure(self, **settings: Any) -> None:
        """Let the settings name this shop, with some of them given."""
        configure(**{"rabbitmq_url": self.server.url(self.vhost), "orderflow_home": self.home, **settings})

    def declare(self) -> None:
        """Make the whole topology, as the settings say."""
        for service in SERVICES:
            topology.declare(self.channel, service, wirings_of(service))

    def replace(self, queue: str, arguments: dict[str, Any], *, messages: int = 0) -> None:
        """Declare a queue anew with other arguments, and put so many messages into it."""
        self.channel.delete_queue(queue)
        self.channel.declare_queue(queue, arguments=arguments)
        self.say(queue, messages)

    def say(self, queue: str, messages: int, *, exchange: str = "") -> None:
        """Put messages into a queue, and wait until it has them."""
        receipts = self.channel.publish([Outgoing(exchange, queue, b"precious")] * messages)
        assert receipts == [Receipt.CONFIRMED] * messages

    def depth(self, queue: str) -> int:
        """How many messages are ready."""
        return self.channel.declare_queue(queue, passive=True).messages

    def accepts(self, question: Callable[[Channel], object]) -> bool:
        """Whether the broker does not refuse this; on a channel of its own."""
        channel = self.connection.channel()
        try:
            question(channel)
        except ChannelClosed:
            return False
        channel.close()
        return True

    def is_as_wanted(self, service: str) -> bool:
        """Whether a service could connect: declaring its topology is not refused."""
        return self.accepts(lambda channel: topology.declare(channel, service, wirings_of(service)))


@contextmanager
def patient(server: PrivateRabbitMQ, home: Path, **settings: Any) -> Iterator[Patient]:
    """A virtual host with the shop's topology in it; the settings name it."""
    vhost = server.fresh_vhost()
    connection = RabbitTransport(server.url(vhost)).connect("test")
    try:
        patient = Patient(server, vhost, home, connection)
        patient.configure(**settings)
        patient.declare()
        yield patient
    finally:
        connection.close()
        server.recover()
        server.delete_vhost(vhost)


def found(report: Report, verdict: Verdict, part: str, *words: str) -> Finding:
    """The one finding of this part judged so that has these words."""
    hits = [
        finding for finding in report.findings
        if finding.part == part and finding.verdict is verdict and all(word in finding.what for word in words)
    ]
    assert len(hits) == 1, "\n".join(map(str, hits or report.findings))
    return hits[0]


def wrongs(report: Report) -> list[str]:
    """What is wrong, in words."""
    return [finding.what for finding in report.findings if finding.verdict is Verdict.WRONG]


def refused(report: Report, *words: str) -> str:
    """The one thing the repair refused to do that has these words."""
    hits = [deed.what for deed in report.deeds if not deed.done and all(word in deed.what for word in words)]
    assert len(hits) == 1, "\n".join(map(str, report.deeds))
    return hits[0]


def wait_until(check: Callable[[], bool]) -> None:
    """The management API sees things some seconds later; ask it again and again."""
    until, pause = time.monotonic() + 90, threading.Event()
    while not check():
        assert time.monotonic() < until, "waited 90 s in vain"
        pause.wait(0.2)


def repaired() -> Report:
    """What the doctor says and did, told to repair."""
    return examine(repair=True)

"""The two brokers the cases run against, each with the same few handles."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from lab.faults.proxy import Proxy
from lab.servers import PrivateRabbitMQ
from patterns.amqp import Transport
from patterns.broker import EmbeddedTransport
from patterns.connection import RabbitTransport
from patterns.errors import BrokerUnavailable

SHAKY = "shaky"
"""How the connections that may be cut are named."""

OTHER_NODE = os.environ.get("CONFORMANCE_RABBITMQ_URL", "")
"""A node to hold the cases against instead of the tests' own; its virtual host is shared, so queues are deleted."""

RESTART_COMMAND = os.environ.get("CONFORMANCE_RABBITMQ_RESTART", "")
"""What restarts that node; without it the cases that need a restart are skipped."""


class Broker(Protocol):
    """What a case may ask for."""

    transport: Transport
    shaky: Transport  # its connections can be cut
    leaves_traces: bool  # whoever declares something durable must delete it
    may_restart: bool

    def restart(self) -> None:
        """Crash and come back with what is durable; all connections are lost."""

    def cut(self) -> None:
        """Cut the connections made through ``shaky``, as a network would."""

    def close(self) -> None:
        """Nobody needs it any more."""


class Embedded:
    """The broker in this process, with a journal, so that it can be restarted."""

    leaves_traces = False
    may_restart = True

    def __init__(self, folder: Path) -> None:
        self.transport = self.shaky = EmbeddedTransport(folder)

    def restart(self) -> None:
        self.transport.restart()
        self.transport.restart()  # from what the first one wrote down

    def cut(self) -> None:
        self.transport.kill(SHAKY)

    def close(self) -> None:
        self.transport.close()


class RabbitMQ:
    """A RabbitMQ, with a proxy before it that can be cut."""

    def __init__(self, url: str, restart: Callable[[], None] | None, *, leaves_traces: bool) -> None:
        self.transport = RabbitTransport(url)
        self._proxy = Proxy(url)
        self.shaky = RabbitTransport(self._proxy.url)
        self._restart, self.leaves_traces, self.may_restart = restart, leaves_traces, restart is not None

    def restart(self) -> None:
        assert self._restart is not None
        self._restart()

    def cut(self) -> None:
        self._proxy.cut()

    def close(self) -> None:
        self._proxy.close()


def rabbitmq(request: pytest.FixtureRequest) -> RabbitMQ:
    """The RabbitMQ to test against: CONFORMANCE_RABBITMQ_URL's, or the one all tests use."""
    if OTHER_NODE:
        return RabbitMQ(OTHER_NODE, _by_command if RESTART_COMMAND else None, leaves_traces=True)
    url = request.getfixturevalue("module_rabbitmq_url")
    server = request.getfixturevalue("rabbitmq_server")
    restart = (lambda: _crash(server)) if isinstance(server, PrivateRabbitMQ) else None
    return RabbitMQ(url, restart, leaves_traces=False)


def _crash(server: PrivateRabbitMQ) -> None:
    """Kill the node and start it again.

    RabbitMQ 3.10 writes new queues and bindings to disk some three seconds late.  One that crashes earlier brings a
    quorum queue back without a leader and for good: it answers nobody, and what it confirmed is gone.
    """
    server.write_down()
    server.restart(crash=True)


def _by_command() -> None:
    subprocess.run(shlex.split(RESTART_COMMAND), check=True, timeout=120)
    for attempt in range(1, 121):  # each try waits for the node itself, up to its connect timeout
        try:
            RabbitTransport(OTHER_NODE).connect("is it back?").close()
            return
        except BrokerUnavailable:
            if attempt == 120:
                raise

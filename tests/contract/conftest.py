from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.contract.brokers import OTHER_NODE, Broker, Embedded, rabbitmq
from tests.contract.client import Client, Names

BOTH_KINDS = ("classic", "quorum")


def pytest_report_header() -> str | None:
    return f"conformance: RabbitMQ cases against {OTHER_NODE.rpartition('@')[2]}" if OTHER_NODE else None


@pytest.fixture(scope="module", params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.real)])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker the cases of this module are held against; each broker in turn."""
    side: Broker = Embedded(tmp_path_factory.mktemp("broker")) if request.param == "embedded" else rabbitmq(request)
    yield side
    side.close()


@pytest.fixture(scope="module")
def names(broker: Broker) -> Iterator[Names]:
    """Names for queues and exchanges that nobody else uses."""
    made = Names(f"contract-{os.urandom(4).hex()}")
    yield made
    if broker.leaves_traces:
        client = Client(broker.transport, made, "cleaner")
        for queue in made.queues:
            client.channel.delete_queue(queue)
        for exchange in made.exchanges:
            client.channel.delete_exchange(exchange)
        client.close()


@pytest.fixture
def connect(broker: Broker, names: Names) -> Iterator[Callable[..., Client]]:
    """Makes clients, which are closed after the test."""
    made: list[Client] = []

    def one_more(label: str = "client", *, shaky: bool = False) -> Client:
        made.append(Client(broker.shaky if shaky else broker.transport, names, "shaky" if shaky else label))
        return made[-1]

    yield one_more
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect("client")


@pytest.fixture
def other(connect: Callable[..., Client]) -> Client:
    return connect("other")


@pytest.fixture(params=BOTH_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The two kinds of queue."""
    return str(request.param)

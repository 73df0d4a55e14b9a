"""The two brokers, as the doctor looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lab.doctor.wanted import Binding
from lab.servers.management import ManagementApi, ManagementError
from patterns.amqp import Connection
from patterns.broker import EmbeddedTransport
from patterns.broker.journal import FILE, Journal
from patterns.connection import RabbitConnection, RabbitTransport
from patterns.errors import EmbeddedBrokerInUse
from patterns.settings import settings
from patterns.transport import current

NAME = "orderflow.doctor"
"""How our connections and what we make to try things out are named, so that people know whose they are."""


@dataclass(frozen=True)
class Listing:
    """What a broker lists and AMQP cannot ask for.

    ``queues``: each queue's arguments.  ``policies``: what policies add to them.  ``clients``: who else is connected;
    None where we may not see it.
    """

    queues: Mapping[str, Mapping[str, Any]]
    bindings: frozenset[Binding]
    policies: Mapping[str, Mapping[str, Any]]
    clients: tuple[str, ...] | None


class RabbitView:
    """RabbitMQ: AMQP for everything it can tell, the management API, where it lets us, for the rest."""

    def __init__(self) -> None:
        config = settings()
        self._transport = RabbitTransport(config.rabbitmq_url)
        self._api = ManagementApi(config.rabbitmq_urls[0], config.rabbitmq_management_url)
        self._cluster = ""
        self.where = f"RabbitMQ at {self._transport.where}"

    def connect(self) -> RabbitConnection:
        """A connection of our own."""
        connection = self._transport.connect(NAME)
        self._cluster = connection.facts.cluster
        return connection

    def probing(self) -> RabbitConnection:
        """The same broker."""
        return self._transport.connect(NAME)

    def listing(self) -> Listing | str:
        """What the management API lists, if it is that of the broker we connected to."""
        try:
            cluster = self._api.ask("GET", "/overview").get("cluster_name")
            if cluster != self._cluster:
                return f"{self._api.address} is another broker's, of cluster {cluster}"
            queues = [queue for queue in self._api.of_vhost("queues") if not queue.get("exclusive")]
            bindings = self._api.of_vhost("bindings")
            tags = self._api.ask("GET", "/whoami").get("tags", [])
            clients = self._clients() if {"administrator", "monitoring"} & set(tags) else None
        except ManagementError as error:
            return str(error)
        return Listing(
            queues={queue["name"]: queue["arguments"] for queue in queues},
            bindings=frozenset(
                Binding(one["source"], one["destination"], one["routing_key"])
                for one in bindings if one["source"] and one["destination_type"] == "queue"
            ),
            policies={queue["name"]: queue.get("effective_policy_definition") or {} for queue in queues},
            clients=clients,
        )

    def _clients(self) -> tuple[str, ...]:
        connections = self._api.ask("GET", f"/vhosts/{quote(self._api.vhost, safe='')}/connections")
        names = (str(one.get("client_properties", {}).get("connection_name") or one.get("name")) for one in connections)
        return tuple(name for name in names if name != NAME)

    def close(self) -> None:
        """Each connection is closed by whoever opened it."""


class EmbeddedView:
    """The embedded broker: this process's own, or a copy of what its journal holds, which disturbs no running shop."""

    def __init__(self, own: EmbeddedTransport | None = None) -> None:
        self.folder = settings().orderflow_home / "broker"
        running = own or current()
        self.readers_known = isinstance(running, EmbeddedTransport)
        self._transport = running if isinstance(running, EmbeddedTransport) else EmbeddedTransport.copy_of(self.folder)
        self._trial = EmbeddedTransport()
        self.where = f"the embedded broker in {self.folder}"

    @property
    def exists(self) -> bool:
        """Whether there is anything to look at."""
        return self.readers_known or (self.folder / FILE).exists()

    @property
    def in_use(self) -> bool:
        """Whether a shop in another process has it."""
        if self.readers_known or not self.exists:
            return False
        try:
            with Journal.locked(self.folder):
                return False
        except EmbeddedBrokerInUse:
            return True

    def connect(self) -> Connection:
        """The broker, or the copy."""
        return self._transport.connect(NAME)

    def probing(self) -> Connection:
        """Another embedded broker, made for this: nothing is tried on the shop's."""
        return self._trial.connect(NAME)

    def listing(self) -> Listing:
        """Everything: it is in our hands."""
        bindings = frozenset(Binding(*one) for one in self._transport.bindings())
        return Listing(self._transport.arguments(), bindings, {}, ())

    def close(self) -> None:
        """Let go of the copy and of the one for trying."""
        self._trial.close()
        if not self.readers_known:
            self._transport.close()

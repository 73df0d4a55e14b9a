"""A shop in this process that tests and experiments can take apart: stop one service, crash it, bring it back."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

from lab import clients
from lab.books import database_of
from lab.servers.ports import free_ports
from lab.shop import app_of, know_all
from patterns.serve import Serving
from patterns.service import Service
from patterns.settings import configure, settings
from patterns.shop import SERVICES
from patterns.transport import transport, use


def _some_ports() -> dict[str, int]:
    """A free port on loopback for each service, as settings."""
    return {f"{service}_port": port for service, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True)}


class LocalShop:
    """The six services on free ports of this process; settings as given."""

    def __init__(self, **overrides: Any) -> None:
        configure(**{**_some_ports(), **overrides})
        self._serving: dict[str, Serving] = {}
        self._clients = {
            service: clients.client(base_url=f"http://127.0.0.1:{settings().port(service)}", timeout=30)
            for service in SERVICES
        }

    def __enter__(self) -> Self:
        know_all()
        transport()
        try:
            for service in SERVICES:
                database_of(service).close()  # whoever looked into the shop before this one left connections to its data
            for service in SERVICES:
                self.start(service)
        except BaseException:  # Ctrl-C too: nobody else would stop those that run already
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop what runs, each service finishing what it has in hand, and forget the broker."""
        for service in list(self._serving):
            self.stop(service)
        for client in self._clients.values():
            client.close()
        use(None)

    def start(self, service: str) -> None:
        """Start one service and wait until it accepts requests."""
        self._serving[service] = Serving({service: app_of(service)})
        self._serving[service].start()

    def stop(self, service: str) -> None:
        """Stop one service as SIGTERM does: it finishes what it has in hand."""
        self._serving.pop(service).stop()

    def crash(self, service: str) -> None:
        """Take a service away in the middle of its work: its connections break, what it held is delivered again."""
        self.service(service).abandon()
        self.stop(service)

    def service(self, name: str) -> Service:
        """The service itself, for a look inside."""
        service: Service = app_of(name).state.service
        return service

    def http(self, service: str) -> httpx.Client:
        """A client that speaks to one service."""
        return self._clients[service]

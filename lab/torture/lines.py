"""The lines between services and servers, each through a proxy of its own that can spoil it."""

from __future__ import annotations

from typing import Any

from lab.faults.proxy import Proxy
from patterns.shop import SERVICES

SERVERS = ("rabbitmq", "postgresql")


class Lines:
    """A proxy for each service and server; all instances of a service share its proxies."""

    def __init__(self, rabbitmq_urls: tuple[str, ...], database_url: str) -> None:
        urls = {"rabbitmq": rabbitmq_urls, "postgresql": (database_url,)}
        self._urls = urls
        self._proxies = {
            (service, server): [Proxy(url) for url in urls[server]] for service in SERVICES for server in SERVERS
        }

    def url(self, service: str, server: str) -> str:
        """The way from this service to this server."""
        return ",".join(proxy.url for proxy in self._proxies[service, server])

    def of(self, service: str, server: str) -> list[Proxy]:
        """The proxies on this way: one, or one to each node of a cluster."""
        return self._proxies[service, server]

    def do(self, service: str, server: str, what: str, *args: Any, **kwargs: Any) -> None:
        """Have the same done to all lines on this way."""
        for proxy in self.of(service, server):
            getattr(proxy, what)(*args, **kwargs)

    def close(self) -> None:
        """Cut everything."""
        for proxies in self._proxies.values():
            for proxy in proxies:
                proxy.close()

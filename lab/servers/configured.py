"""A RabbitMQ somebody else runs, which RABBITMQ_URL names."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from lab.servers.management import ManagementApi, ManagementError


class ConfiguredRabbitMQ:
    """A broker given by its URL.

    Virtual hosts are made through its management API (port 15672 beside it, or ``management``) if that lets us; otherwise
    everything happens in the URL's own virtual host, and ``shared`` is true: leftovers of others may be seen there.
    """

    def __init__(self, url: str, management: str = "") -> None:
        self._url = urlsplit(url)
        self._api = ManagementApi(url, management)
        about = self._call("GET", "/overview") or {}
        self.version = str(about.get("rabbitmq_version", "?"))
        self.port = self._url.port or (5671 if self._url.scheme == "amqps" else 5672)
        self.shared = "administrator" not in (self._call("GET", "/whoami") or {}).get("tags", [])

    @property
    def description(self) -> str:
        """Which broker this is, without its password."""
        where = f"RabbitMQ {self.version} at {self._url.hostname}:{self.port} (RABBITMQ_URL)"
        shared = f"{where}, all tests in its one virtual host: {self._api.address} does not let us make others"
        return shared if self.shared else where

    def url(self, vhost: str) -> str:
        """Where to connect to; a shared broker has only its own virtual host to offer."""
        path = self._url.path if self.shared else f"/{quote(vhost, safe='')}"
        return urlunsplit(self._url._replace(path=path))

    def fresh_vhost(self) -> str:
        """Make a virtual host nobody has used (nothing to make on a shared broker); answers its name."""
        name = f"orderflow-{secrets.token_hex(4)}"
        if not self.shared:
            user = quote(unquote(self._url.username or "guest"), safe="")
            self._call("PUT", f"/vhosts/{name}", {})
            self._call("PUT", f"/permissions/{name}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
        return name

    def delete_vhost(self, *names: str) -> None:
        """Delete virtual hosts made by :meth:`fresh_vhost`."""
        for name in names:
            if not self.shared:
                self._call("DELETE", f"/vhosts/{name}")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the management API; None if it is not there or does not let us."""
        try:
            return self._api.ask(method, path, body)
        except ManagementError:
            return None

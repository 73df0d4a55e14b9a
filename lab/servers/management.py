"""RabbitMQ's management API: what AMQP cannot tell, such as bindings (https://www.rabbitmq.com/docs/management)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from lab import clients

SECONDS = 5.0


class ManagementError(Exception):
    """The management API did not answer as asked; says why."""


class ManagementApi:
    """The API beside a RabbitMQ (port 15672, or 15671 with TLS), or at ``address``; asked as RABBITMQ_URL's user."""

    def __init__(self, url: str, address: str = "") -> None:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "localhost"
        standard = f"https://{host}:15671" if parts.scheme == "amqps" else f"http://{host}:15672"
        self.address = (address or standard).rstrip("/")
        self.user = unquote(parts.username or "guest")
        self._credentials = (self.user, unquote(parts.password or "guest"))
        self.vhost = unquote(parts.path[1:]) or "/"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to one request under ``/api``.  Raises ManagementError."""
        try:
            answer = clients.request(
                method, f"{self.address}/api{path}", json=body, auth=self._credentials, timeout=SECONDS, trust_env=False
            )
            answer.raise_for_status()
            return answer.json() if answer.content else {}
        except httpx.HTTPStatusError as error:
            raise ManagementError(f"{self.address} answers {error.response.status_code} to user {self.user}") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ManagementError(f"{self.address}: {str(error) or type(error).__name__}") from None

    def of_vhost(self, what: str) -> Any:
        """A list of the virtual host's ``queues``, ``exchanges`` or ``bindings``.  Raises ManagementError."""
        return self.ask("GET", f"/{what}/{quote(self.vhost, safe='')}")

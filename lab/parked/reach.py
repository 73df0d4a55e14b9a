"""How to get at a service's parked messages: through the service, or, where it does not answer, through the broker."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from lab import clients
from lab.order_story import RunningShop
from lab.shop import wirings_of
from patterns.errors import Conflict, EmbeddedBrokerInUse, ServerUnavailable
from patterns.parked import MOST_AT_ONCE, ParkedQueue
from patterns.parked_letter import Parked
from patterns.settings import settings
from patterns.transport import current, transport, use
from patterns.web_parked import ChosenForReplay, ChosenToDrop, Outcome, Waiting, named, without_contents

ANSWER_SECONDS = 120.0
"""How long a service may take: it looks at each of its parked messages."""

_OUTCOMES = TypeAdapter(list[Outcome])


class Access(Protocol):
    """One service's parked messages.  Every call raises ServerUnavailable or Conflict, in plain words."""

    def look(self, limit: int) -> Waiting:
        """How many wait, and the oldest of them."""

    def get(self, name: str) -> Parked | None:
        """One of them, whole, by our id or its own."""

    def replay(self, chosen: ChosenForReplay) -> list[Outcome]:
        """Send the chosen ones back."""

    def drop(self, chosen: ChosenToDrop) -> list[Outcome]:
        """Throw the chosen ones away."""


class OverHttp:
    """Through the service itself."""

    def __init__(self, url: str) -> None:
        self.url = url

    def look(self, limit: int) -> Waiting:
        """How many wait, and the oldest of them."""
        return Waiting.model_validate(self._ask("GET", f"/parked?limit={limit}"))

    def get(self, name: str) -> Parked | None:
        """One of them, whole, by our id or its own."""
        found = self._ask("GET", f"/parked/messages/{quote(name, safe='')}", missing=404)
        return None if found is None else Parked.model_validate(found)

    def replay(self, chosen: ChosenForReplay) -> list[Outcome]:
        """Send the chosen ones back."""
        return _OUTCOMES.validate_python(self._ask("POST", "/parked/replay", chosen.model_dump()))

    def drop(self, chosen: ChosenToDrop) -> list[Outcome]:
        """Throw the chosen ones away."""
        return _OUTCOMES.validate_python(self._ask("POST", "/parked/drop", chosen.model_dump()))

    def _ask(self, method: str, path: str, body: Any = None, missing: int = 0) -> Any:
        try:
            answer = clients.request(method, self.url + path, json=body, timeout=httpx.Timeout(ANSWER_SECONDS, connect=5))
            told = answer.json()
        except (httpx.TransportError, ValueError) as error:
            raise ServerUnavailable(f"{self.url} does not answer ({type(error).__name__}: {error})") from None
        if answer.status_code == missing:
            return None
        if answer.status_code == 409:
            raise Conflict(str(told["detail"]))
        if answer.is_error:
            raise ServerUnavailable(f"{self.url} answers {answer.status_code}: {told.get('detail', told)}")
        return told


class Directly:
    """Through the broker, past the service."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._queue = ParkedQueue(service, transport(), wirings_of(service))

    def look(self, limit: int) -> Waiting:
        """How many wait, and the oldest of them."""
        waiting, letters = self._queue.look(limit)
        return Waiting(service=self.service, waiting=waiting, messages=list(map(without_contents, letters)))

    def get(self, name: str) -> Parked | None:
        """One of them, whole, by our id or its own."""
        return next(iter(self._queue.look(MOST_AT_ONCE, named(name))[1]), None)

    def replay(self, chosen: ChosenForReplay) -> list[Outcome]:
        """Send the chosen ones back."""
        done = self._queue.replay(chosen.includes, force=chosen.force, dry_run=chosen.dry_run)
        return [Outcome.of(each) for each in done]

    def drop(self, chosen: ChosenToDrop) -> list[Outcome]:
        """Throw the chosen ones away."""
        return [Outcome.of(each) for each in self._queue.drop(chosen.includes, dry_run=chosen.dry_run)]


class Reach:
    """All services' parked messages, by whichever way there is; ``url`` says where order is, if not on this machine."""

    def __init__(self, url: str = "") -> None:
        with RunningShop(url) as shop:
            self.urls = shop.urls
        self._connected = False

    def service(self, name: str) -> Access:
        """The way to one service's.  Raises ServerUnavailable when there is none, and says why."""
        url = self.urls[name]
        try:
            troubles = clients.get(f"{url}/readyz", timeout=5).json()["troubles"]
        except (httpx.TransportError, ValueError, KeyError, TypeError) as error:
            return self._directly(name, f"{name} does not answer at {url} ({error or type(error).__name__})")
        if "service" not in troubles:
            return OverHttp(url)
        # It is up, but waits for its database: it would answer 503, while its messages are in the broker.
        return self._directly(name, f"{name} cannot start yet ({troubles['service']})")

    def close(self) -> None:
        """Leave the broker, and with it the embedded broker's folder, to others."""
        if self._connected:
            use(None)

    def _directly(self, name: str, why: str) -> Access:
        if not settings().rabbitmq_url and not (settings().orderflow_home / "broker").exists():
            raise ServerUnavailable(
                f"{why}. Is the shop open, and on this machine (--url)? A closed one is read from its folder "
                f"(ORDERFLOW_HOME; nothing is in {settings().orderflow_home}), or from its RabbitMQ (RABBITMQ_URL)."
            )
        self._connected = self._connected or current() is None
        try:
            return Directly(name)
        except EmbeddedBrokerInUse as error:
            raise ServerUnavailable(
                f"{why}, and the embedded broker belongs to a running process: start {name} there, or stop that process "
                f"and ask again.  ({error})"
            ) from None

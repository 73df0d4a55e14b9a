"""Health: what ``/readyz`` says.  Each part answers for itself, now; nothing here is remembered or hoped.

Not ready (503) means: something we need to do our work is missing.  Degraded (200) means: we work, and somebody we ask
does not answer, so its breaker is open; another instance of us could do no better, and whoever routes by ``/readyz``
should not take us out for that.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from patterns import outbox
from patterns.errors import DatabaseUnavailable
from patterns.link import Link
from patterns.runtime import runtime
from patterns.service import Service

Status = Literal["ready", "degraded", "not ready"]


class Health(BaseModel):
    """That a service's process is alive."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "service": "order"}]})

    status: Literal["ok"] = "ok"
    service: str


class Connected(BaseModel):
    """One connection to the broker, and since when it has been as it is."""

    connected: bool
    since: datetime


class BreakerState(BaseModel):
    """A circuit breaker: closed (calls go through), open (none does) or half-open (one tries), and why."""

    state: Literal["closed", "open", "half-open"]
    since: datetime
    because: str | None = None


class Backlog(BaseModel):
    """What the outbox holds that is not sent, or not answered, yet."""

    waiting: int
    oldest_seconds: float


class Readiness(BaseModel):
    """Whether a service can do its work; if not, what is in the way of each part, in plain words."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "status": "not ready", "since": "2026-11-21T13:52:30Z",
        "troubles": {"ears": "The broker cancelled the consumer of product.topic: is the queue deleted?"},
        "connections": {"voice": {"connected": True, "since": "2026-11-21T13:40:00Z"},
                        "ears": {"connected": False, "since": "2026-11-21T13:52:30Z"}},
        "queues": {"product.reserve": True, "product.topic": False}, "breakers": {},
        "outbox": {"waiting": 0, "oldest_seconds": 0.0}, "counts": {"handled": 1200},
    }]})

    status: Status
    since: datetime
    troubles: dict[str, str]
    connections: dict[str, Connected] = {}
    queues: dict[str, bool] = {}
    """Each queue the service must read, and whether its consumer here is alive."""
    breakers: dict[str, BreakerState] = {}
    outbox: Backlog | None = None
    counts: dict[str, int] = {}


class Checkup:
    """Looks at one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._status: Status | None = None
        self._since = self._looked = 0.0

    def look(self) -> Readiness:
        """How every part is, right now."""
        service, troubles = self._service, dict[str, str]()
        backlog = self._backlog(troubles)
        if service.trouble is not None:
            troubles["service"] = service.trouble
        if not service.has_begun:
            return self._told(troubles, Readiness(status="not ready", since=_at(0), troubles=troubles, outbox=backlog))
        links = {"voice": service.voice.link, "ears": service.listener.link}
        said = {part: link.trouble for part, link in links.items()} | {"handlers": service.listener.trouble}
        troubles |= {part: trouble for part, trouble in said.items() if trouble is not None}
        breakers = [*service.listener.preparing.breakers.values(), *service.voice.breakers.values()]
        return self._told(troubles, Readiness(
            status="ready", since=_at(0), troubles=troubles, outbox=backlog, counts=dict(service.listener.counts),
            connections={part: Connected(connected=link.connected, since=_at(link.since)) for part, link in links.items()},
            queues=service.listener.link.reads,
            breakers={one.name: BreakerState.model_validate({
                "state": one.state, "since": _at(one.since), "because": one.because or None}) for one in breakers},
        ), *links.values())

    def _backlog(self, troubles: dict[str, str]) -> Backlog | None:
        try:
            waiting, oldest = self._service.database.read(outbox.backlog)
        except DatabaseUnavailable as error:
            troubles["database"] = str(error)
            return None
        return Backlog(waiting=waiting, oldest_seconds=round(oldest, 3))

    def _told(self, troubles: dict[str, str], found: Readiness, *links: Link) -> Readiness:
        """What was found, with its status, and since when that has been so: at the earliest since the last look."""
        tried = any(one.state != "closed" for one in found.breakers.values())
        status: Status = "not ready" if troubles else "degraded" if tried else "ready"
        now = runtime().now()
        if status != self._status:
            changed = [link.since for link in links if (link.trouble is not None) is bool(troubles)]
            first = min if troubles else max  # the first that broke, or the last that came back
            self._since = max(self._looked, first(changed, default=now))
            self._status = status
        self._looked = now
        return found.model_copy(update={"status": status, "since": _at(self._since)})


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

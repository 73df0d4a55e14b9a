"""History: every request that was made and what came of it, as far as its client knows.

Three outcomes, never two: *ok* (it was answered), *failed* (it was refused), and *unknown* (no answer, or one that
says nothing: the request may have been carried out or not).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import httpx

Outcome = Literal["ok", "failed", "unknown"]
What = Literal["place", "look", "cancel"]
REFUSAL = 120
"""So many characters of it are kept."""


@dataclass(frozen=True)
class Request:
    """One HTTP request and its outcome; ``status`` is what was told about the order, if anything was."""

    what: What
    order_id: UUID
    outcome: Outcome
    code: int | None
    told_id: str | None
    status: str | None
    began: float
    ended: float
    refusal: str = ""
    """What was said, if it was refused."""


class History:
    """All requests of one mode, written by many clients."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.accepted: set[UUID] = set()
        self.answered: set[UUID] = set()
        self.forsaken: dict[tuple[What, UUID], float] = {}
        """What its client gave up without an answer, and when."""
        self._lock = threading.Lock()

    def note(self, what: What, order_id: UUID, began: float, answer: httpx.Response | None) -> Request:
        """Write down a request that ended now; without an answer its outcome is unknown."""
        code = None if answer is None else answer.status_code
        outcome: Outcome = "unknown" if code is None or code >= 500 else "ok" if code < 300 else "failed"
        told: dict[str, Any] = answer.json() if answer is not None and outcome == "ok" else {}
        refusal = answer.text[:REFUSAL] if answer is not None and outcome == "failed" else ""
        request = Request(what, order_id, outcome, code, told.get("id"), told.get("status"), began, time.time(), refusal)
        with self._lock:
            self.requests.append(request)
            if what == "place" and outcome != "unknown":
                self.answered.add(order_id)
            if what == "place" and outcome == "ok":
                self.accepted.add(order_id)
        return request

    def gave_up(self, what: What, order_id: UUID) -> None:
        """Write down that a client's patience was over: this is no longer unknown, it was not answered."""
        with self._lock:
            self.forsaken[what, order_id] = time.time()

    @property
    def ended(self) -> int:
        """How many orders were answered, or given up."""
        return len(self.answered) + len([what for what, _ in list(self.forsaken) if what == "place"])

    def of(self, what: str) -> list[Request]:
        """The requests of one kind."""
        with self._lock:
            return [request for request in self.requests if request.what == what]

    @property
    def retried(self) -> int:
        """How many requests to place an order were repetitions."""
        placing = self.of("place")
        return len(placing) - len({request.order_id for request in placing})

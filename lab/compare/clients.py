"""The clients of one run: what each of them saw."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from lab.compare.plan import CompareTrouble
from lab.compare.workload import Wanted

ANSWER_SECONDS = 60.0
POLL_SECONDS = 0.05
"""How long a client waits before it looks again, or asks again after a refusal."""


@dataclass
class Seen:
    """What one client saw of its order; times in seconds, ``began`` since 1970."""

    wanted: Wanted
    began: float
    code: int
    """Of the first answer that was no refusal: 201 with the final state, or 202."""
    status: str
    answered_after: float
    refused: int
    """How often it was refused (5xx, or no connection) before."""
    polls: int = 0
    """How often it looked again until it knew the ending."""

    @property
    def final(self) -> bool:
        """Whether the first answer was the ending."""
        return self.status != "PROCESSING"


class Client:
    """One client of the order service."""

    def __init__(self, http: httpx.Client, mode: str, give_up: float) -> None:
        self._http, self._mode, self._give_up = http, mode, give_up
        self._pause = threading.Event()

    def place(self, wanted: Wanted) -> Seen:
        """Place an order, again after each refusal, and answer what was seen."""
        began, refused = time.time(), 0
        while (answer := self._ask(lambda: self._post(wanted))) is None:
            refused += 1
            self._wait(f"nobody took order {wanted.key}")
        return Seen(wanted, began, answer.status_code, answer.json()["status"], time.time() - began, refused)

    def look_until_settled(self, seen: Seen) -> None:
        """Look again and again until the ending is known."""
        status = seen.status
        while status == "PROCESSING":
            self._wait(f"order {seen.wanted.key} does not settle")
            seen.polls += 1
            answer = self._ask(lambda: self._http.get(f"/orders/{seen.wanted.order_id}"))
            status = answer.json()["status"] if answer is not None else status

    def cancel(self, wanted: Wanted) -> None:
        """Cancel an order as soon as it is known; comes in time, because somebody it needs is away."""
        while (answer := self._ask(lambda: self._http.post(f"/orders/{wanted.order_id}/cancel"))) is None:
            self._wait(f"nobody cancels order {wanted.key}")
        if answer.json()["status"] != "FAILED":
            raise CompareTrouble(f"Order {wanted.key} was to be cancelled, and is {answer.json()['status']}")

    def _post(self, wanted: Wanted) -> httpx.Response:
        return self._http.post("/orders", json=wanted.body(self._mode), headers={"Idempotency-Key": wanted.key})

    def _ask(self, send: Callable[[], httpx.Response]) -> httpx.Response | None:
        """An answer, or None for what is worth asking again: a refusal, no connection, an order not known yet."""
        try:
            answer = send()
        except httpx.TransportError:
            return None
        if answer.status_code >= 500 or answer.status_code == 404:
            return None
        if answer.is_error:
            raise CompareTrouble(f"The shop refused what it should take ({answer.status_code}): {answer.text[:300]}")
        return answer

    def _wait(self, complaint: str) -> None:
        if time.monotonic() > self._give_up:
            raise CompareTrouble(f"Time is over: {complaint}.")
        self._pause.wait(POLL_SECONDS)

"""Readiness: ``/readyz`` of everybody, asked for all the time while something is done to the shop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import httpx

from lab import clients

PATIENCE_SECONDS = 120.0
"""How long everybody may take to notice that a server is away, and then to be back, on a busy machine."""

SAMPLE_SECONDS = 0.05
"""The pause between two rounds of questions, unless another is wanted: of a dozen processes each round costs something."""


class Readiness:
    """Who says what on ``/readyz``.  ``red``: who said 503 at some time, and the troubles that were named."""

    def __init__(self, urls: Mapping[str, str], every: float = SAMPLE_SECONDS) -> None:
        self.red: dict[str, dict[str, str]] = {}
        self._urls = {name: f"{url}/readyz" for name, url in urls.items()}
        self._green: set[str] = set()
        self._every, self._rounds = every, 0
        self._over = threading.Event()
        self._asked = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="readiness", daemon=True)

    def __enter__(self) -> Readiness:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def never_red(self) -> list[str]:
        """Who never said 503."""
        return sorted(self._urls.keys() - self.red.keys())

    @property
    def not_green(self) -> list[str]:
        """Who did not say 200 when asked last."""
        return sorted(self._urls.keys() - self._green)

    def wait_for(self, what: Callable[[], bool], given_up: threading.Event) -> None:
        """Wait until this is so after a whole round of questions that began after this call; at most PATIENCE_SECONDS."""
        until = time.monotonic() + PATIENCE_SECONDS
        with self._asked:
            asked = self._rounds + 2
            while not (self._rounds >= asked and what()) and not given_up.is_set() and time.monotonic() < until:
                self._asked.wait(self._every)

    def _run(self) -> None:
        with clients.client(timeout=30) as http:
            while not self._over.wait(self._every):
                green = {name for name, url in self._urls.items() if self._is_green(http, name, url)}
                with self._asked:
                    self._green, self._rounds = green, self._rounds + 1
                    self._asked.notify_all()

    def _is_green(self, http: httpx.Client, name: str, url: str) -> bool:
        try:
            answer = http.get(url)
        except httpx.TransportError:
            return False
        if answer.status_code == 503:
            self.red.setdefault(name, {}).update(answer.json()["troubles"])
        return answer.status_code == 200

"""Outages: RabbitMQ itself is stopped, or killed, under load; everybody must say so, and be back afterwards.

::

    RabbitMQ     ──stop or kill -9── away, until all have noticed ──start──
    /readyz      200 … 200 │ 503 (sampled, every process)                  │ 200 … every consumer counted
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import httpx

from lab import clients
from lab.promises import Promise
from lab.queues import consumers_by_queue
from lab.servers import PrivateRabbitMQ
from lab.shop import wirings_of
from lab.torture.processes import ShopProcess
from patterns import topology
from patterns.shop import SERVICES

PATIENCE_SECONDS = 120.0
"""How long everybody may take to notice that RabbitMQ is away, and then to be back, on a busy machine."""

SAMPLE_SECONDS = 0.05


@dataclass
class Outage:
    """One time that RabbitMQ was away."""

    how: str
    away_seconds: float = 0.0
    back_seconds: float = 0.0
    """From RabbitMQ's return until every process was ready again."""
    never_red: list[str] = field(default_factory=list)
    not_back: list[str] = field(default_factory=list)


class Broker:
    """The shop's RabbitMQ, to be taken away."""

    def __init__(self, node: PrivateRabbitMQ, processes: Sequence[ShopProcess], instances: int) -> None:
        self._node, self._processes, self._instances = node, processes, instances

    def take_away(self, *, crash: bool, given_up: threading.Event) -> Outage:
        """Stop it, or kill it; wait until everybody has noticed; start it, and wait until everybody is back."""
        outage = Outage("killed" if crash else "stopped")
        urls = {process.name: f"{url}/readyz" for process in self._processes for url in process.services.values()}
        with Samples(urls) as samples:
            began = time.monotonic()
            self._end(crash)
            samples.wait_for(lambda: samples.seen_red == urls.keys(), given_up)
            if not given_up.is_set():  # else nobody waited for them, here and below
                outage.never_red = sorted(urls.keys() - samples.seen_red)
            self._node.start()
            outage.away_seconds, back = time.monotonic() - began, time.monotonic()
            samples.wait_for(lambda: not samples.not_green, given_up)
            outage.back_seconds = time.monotonic() - back
            if not given_up.is_set():
                outage.not_back = [f"{name} is not ready" for name in samples.not_green] + list(self._missing_consumers())
        return outage

    def _end(self, crash: bool) -> None:
        if crash:
            self._node.write_down()
            self._node.kill()
        else:
            self._node.stop()

    def _missing_consumers(self) -> Iterable[str]:
        found = consumers_by_queue()
        for service in SERVICES:
            for queue in (*topology.heard_queues(service, wirings_of(service)), topology.dead_queue(service)):
                if found.get(queue) != self._instances:
                    yield f"{queue} has {found.get(queue, 'no queue, so no')} consumers, not {self._instances}"


class Samples:
    """Asks every process for its ``/readyz`` all the time.  ``seen_red``: who said 503 at some time."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.seen_red: set[str] = set()
        self._urls = urls
        self._codes: dict[str, int | None] = {}
        self._rounds = 0
        self._over = threading.Event()
        self._asked = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="samples", daemon=True)

    def __enter__(self) -> Samples:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def not_green(self) -> list[str]:
        """Who did not say 200 when asked last."""
        return sorted(name for name in self._urls if self._codes.get(name) != 200)

    def wait_for(self, what: Callable[[], bool], given_up: threading.Event) -> None:
        """Wait until this is so after a whole round of questions that began after this call; at most PATIENCE_SECONDS."""
        until = time.monotonic() + PATIENCE_SECONDS
        with self._asked:
            asked = self._rounds + 2
            while not (self._rounds >= asked and what()) and not given_up.is_set() and time.monotonic() < until:
                self._asked.wait(SAMPLE_SECONDS)

    def _run(self) -> None:
        with clients.client(timeout=30) as http:
            while not self._over.wait(SAMPLE_SECONDS):
                codes = {name: _asked_of(http, url) for name, url in self._urls.items()}
                with self._asked:
                    self._codes, self._rounds = codes, self._rounds + 1
                    self.seen_red |= {name for name, code in codes.items() if code == 503}
                    self._asked.notify_all()


def _asked_of(http: httpx.Client, url: str) -> int | None:
    try:
        return http.get(url).status_code
    except httpx.TransportError:
        return None


def promises_of(outages: Sequence[Outage]) -> list[Promise]:
    """What outages are held to."""
    def broken(of: Callable[[Outage], list[str]]) -> list[str]:
        return [f"outage {number} ({outage.how}): {what}" for number, outage in enumerate(outages, 1) for what in of(outage)]

    return [] if not outages else [
        Promise("While RabbitMQ is away, /readyz of every process is 503.", broken(lambda outage: outage.never_red)),
        Promise("When RabbitMQ is back, every process is ready and every queue has all its consumers.",
                broken(lambda outage: outage.not_back)),
    ]

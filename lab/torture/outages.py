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

from lab.promises import Promise
from lab.queues import consumers_by_queue
from lab.servers import PrivateRabbitMQ
from lab.shop import wirings_of
from lab.torture.processes import ShopProcess
from lab.torture.readiness import Readiness
from patterns import topology
from patterns.shop import SERVICES

ASK_SECONDS = 0.25
"""How often everybody is asked; an outage lasts seconds, and whoever is asked does not work meanwhile."""


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
        urls = {process.name: url for process in self._processes for url in process.services.values()}
        with Readiness(urls, ASK_SECONDS) as ready:
            began = time.monotonic()
            self._end(crash)
            ready.wait_for(lambda: not ready.never_red, given_up)
            if not given_up.is_set():  # else nobody waited for them, here and below
                outage.never_red = ready.never_red
            self._node.start()
            outage.away_seconds, back = time.monotonic() - began, time.monotonic()
            ready.wait_for(lambda: not ready.not_green, given_up)
            outage.back_seconds = time.monotonic() - back
            if not given_up.is_set():
                outage.not_back = [f"{name} is not ready" for name in ready.not_green] + list(self._missing_consumers())
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


def promises_of(outages: Sequence[Outage]) -> list[Promise]:
    """What outages are held to."""
    def broken(of: Callable[[Outage], list[str]]) -> list[str]:
        return [f"outage {number} ({outage.how}): {what}" for number, outage in enumerate(outages, 1) for what in of(outage)]

    return [] if not outages else [
        Promise("While RabbitMQ is away, /readyz of every process is 503.", broken(lambda outage: outage.never_red)),
        Promise("When RabbitMQ is back, every process is ready and every queue has all its consumers.",
                broken(lambda outage: outage.not_back)),
    ]

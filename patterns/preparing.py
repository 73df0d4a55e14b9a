"""Preparing: what a handler needs from outside, asked for before its transaction, several at once.

Each preparation has a circuit breaker of its own.  While the server it asks is away, its messages go round the ladder
of retries without being counted, so an outage of any length parks nothing; the messages that need no such answer, the
refunds for instance, go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from patterns.breaker import Breaker
from patterns.hearing import Heard
from patterns.runtime import runtime
from patterns.settings import settings
from patterns.wiring import Preparation, Wirings


class Preparing:
    """One service's preparations.  ``breakers`` by the preparation's name."""

    def __init__(self, service: str, wirings: Wirings) -> None:
        found = {line.preparation for wiring in wirings.values() for line in wiring.lines if line.preparation}
        self.breakers = {name_of(preparation): Breaker(service, name_of(preparation)) for preparation in found}
        self._workers = runtime().workers(settings().gateway_calls_in_flight, f"{service}.prepare")

    def prepare(self, batch: Sequence[Heard]) -> list[tuple[Heard, Exception | None]]:
        """Get each message its verdict, where its line wants one; tells which could not be had, and why."""
        asked = [(heard, self._asked(heard)) for heard in batch]
        return [(heard, _verdict_to(heard, future)) for heard, future in asked]

    def stop(self, *, wait: bool) -> None:
        """Ask no more; ``wait``: for those that are asking."""
        self._workers.shutdown(wait=wait, cancel_futures=True)

    def _asked(self, heard: Heard) -> Any:
        preparation = heard.line.preparation
        return preparation and self._workers.submit(self._guarded, preparation, heard.message)

    def _guarded(self, preparation: Preparation, message: Any) -> Any:
        with self.breakers[name_of(preparation)].guarding():
            return preparation(message)


def name_of(preparation: Preparation) -> str:
    """What a preparation is called on ``/readyz`` and in the log."""
    return preparation.__name__


def _verdict_to(heard: Heard, future: Any) -> Exception | None:
    try:
        heard.verdict = future and future.result()
    except Exception as error:  # whatever a preparation raises is about its message alone
        return error
    return None

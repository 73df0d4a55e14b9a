"""Does somebody read every queue, and what waits in them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import httpx

from lab import clients
from lab.doctor.findings import Finding, ok, unchecked, warning, wrong
from lab.doctor.there import There
from lab.doctor.wanted import Wanted
from patterns.settings import settings
from patterns.topology import dead_queue, parked_queue

MANY = 1000
"""Ready messages from which on a queue that is read counts as behind: 30 transactions of 32 messages."""

PART = "readers"


def readers(wanted: Wanted, there: There) -> Iterator[Finding]:
    """Every queue that feeds handlers has a consumer."""
    if not any(there.consumers(queue) for queues in wanted.readers.values() for queue in queues):
        yield from _closed(wanted, there)
        return
    for service, queues in wanted.readers.items():
        unread = [queue for queue in queues if there.queues.get(queue) is not None and not there.consumers(queue)]
        waiting = sum(map(there.ready, unread))
        if not unread:
            yield ok(PART, f"{service} reads its {len(queues)} queues.")
        elif len(unread) == len(queues):
            what = f"{service} is not running: nobody reads its queues; {_messages(waiting)} wait there."
            yield (wrong if waiting else warning)(PART, what, f"Start it: orderflow serve {service}")
        else:
            yield wrong(
                PART, f"Nobody reads {', '.join(unread)}, although {service} reads others; {_messages(waiting)} wait.",
                f"Look at {service}'s /readyz, and restart it: a connection came back without its consumers.",
            )


def _closed(wanted: Wanted, there: There) -> Iterator[Finding]:
    waiting = {queue: there.ready(queue) for queues in wanted.readers.values() for queue in queues if there.ready(queue)}
    if waiting:
        yield wrong(PART, f"No service is running, and messages wait: {_counted(waiting)}.", "Start the services.")
    else:
        yield warning(PART, "No service is running: no queue is read.", "Start them, unless the shop is meant to be closed.")


def waiting(wanted: Wanted, there: There) -> Iterator[Finding]:
    """What waits: for a service that is behind, for a person, for the next try."""
    for service, queues in wanted.readers.items():
        behind = {queue: there.ready(queue) for queue in queues if there.consumers(queue) and there.ready(queue) >= MANY}
        if behind:
            yield warning("waiting", f"{service} is behind: {_counted(behind)}.", f"Start more instances of {service}.")
        if parked := there.ready(parked_queue(service)):
            yield warning(
                "waiting", f"{parked_queue(service)} holds {_messages(parked)} that could not be handled.",
                "orderflow parked list shows them with their reasons.",
            )
        if (dead := there.ready(dead_queue(service))) and there.consumers(dead_queue(service)):
            yield ok("waiting", f"{dead_queue(service)} holds {_messages(dead)} on their way back.")
    retrying = {queue: there.ready(queue) for queue in wanted.queues if queue in wanted.exchanges and there.ready(queue)}
    if retrying:
        yield ok("waiting", f"Waiting for their next try: {_counted(retrying)}.")


def _counted(depths: dict[str, int]) -> str:
    return ", ".join(f"{depth} in {queue}" for queue, depth in depths.items())


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def asked_of_services(services: Sequence[str]) -> Iterator[Finding]:
    """Where consumers cannot be seen (another process's embedded broker): what each service says of itself."""
    for service in services:
        host = settings().orderflow_host
        host = f"[{host}]" if ":" in host else host
        address = f"http://{host}:{settings().port(service)}/readyz"
        try:
            answer = clients.get(address, timeout=5, trust_env=False)
            troubles = answer.json().get("troubles", {})
        except (httpx.HTTPError, ValueError) as error:
            yield unchecked(PART, f"{service} does not answer at {address}: {error}", "Is it on another port, or stopped?")
            continue
        if answer.status_code == 200:
            yield ok(PART, f"{service} says that it is ready: it reads its queues.")
        else:
            told = "; ".join(f"{part}: {why}" for part, why in troubles.items())
            yield wrong(PART, f"{service} is not ready: {told}", f"{address} says more.")

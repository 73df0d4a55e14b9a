"""What a mode costs and how long it takes: counted in the databases and in the process, never computed from a wiring."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from uuid import UUID

from sqlalchemy import select

from lab.books import database_of
from lab.compare.clients import Seen
from patterns.database import Session, now
from patterns.journal import inbox, outbox
from patterns.shop import SERVICES

HOUSEKEEPING = ("claim", "prune")
"""Work that a service commits about once a second, whether there are orders or not."""


@dataclass(frozen=True)
class Traffic:
    """Messages about these orders, as the services' outboxes and inboxes hold them."""

    said: int
    """Published, answers to requests included."""
    again: int
    """Published once more, since no confirm or no answer came."""
    heard: int
    """Copies that a handler was for."""
    bytes: int
    """Bodies, headers and addresses of what was said."""


@dataclass(frozen=True)
class Spread:
    """Half of all took at most ``p50``, and 95 % at most ``p95``; in milliseconds."""

    p50: float
    p95: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """The spread of these durations, of which there is at least one."""
        cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 19
        return cls(*(round(1000 * value, 1) for value in (cuts[9], cuts[18], max(seconds))))


def traffic(order_ids: Collection[UUID]) -> Traffic:
    """Count what was said and heard about these orders."""
    wanted, total = set(order_ids), Counter[str]()
    for service in SERVICES:
        total += database_of(service).read(_traffic, service, wanted)
    return Traffic(total["said"], total["again"], total["heard"], total["bytes"])


def _traffic(session: Session, service: str, wanted: Collection[UUID]) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in session.execute(select(outbox)):
        if row.order_id in wanted:
            envelope = f"{json.dumps(row.headers)}{row.exchange}{row.routing_key}"
            total += Counter(said=1, again=max(0, row.attempts), bytes=len(row.body.encode()) + len(envelope.encode()))
    heard = session.execute(select(inbox.c.order_id).where(inbox.c.service == service)).scalars()
    total["heard"] = sum(order_id in wanted for order_id in heard)
    return total


@dataclass(frozen=True)
class Meter:
    """What the processes' own counters said at one moment."""

    commits: Counter[str] = field(default_factory=Counter)
    ignored: int = 0

    @classmethod
    def read(cls, ignored: int = 0) -> Meter:
        """Read the counters of all services' databases; ``ignored`` is what their listeners counted."""
        return cls(sum((database_of(service).commits for service in SERVICES), Counter()), ignored)

    def since(self, before: Meter) -> Meter:
        """What was counted since then."""
        return Meter(self.commits - before.commits, self.ignored - before.ignored)

    @property
    def transactions(self) -> int:
        """Commits that orders caused."""
        return sum(number for work, number in self.commits.items() if work not in HOUSEKEEPING)


def settled_after(seen: Sequence[Seen]) -> list[float]:
    """How long each order took from its client's request until it was settled, in seconds.

    The order's row says when it was settled, by its database's clock; the request began by ours.
    """
    ends, lead = database_of("order").read(_ends), clock_lead()
    return [ends[one.wanted.order_id] - lead - one.began for one in seen]


def settled_at() -> dict[UUID, float]:
    """When each order was settled, by our clock."""
    ends, lead = database_of("order").read(_ends), clock_lead()
    return {order_id: at - lead for order_id, at in ends.items()}


def clock_lead() -> float:
    """How far the order database's clock is ahead of ours, in seconds."""
    before = time.time()
    theirs = database_of("order").read(lambda session: session.execute(select(now())).scalar_one())
    return float(theirs) - (before + time.time()) / 2


def _ends(session: Session) -> dict[UUID, float]:
    from order.models import orders

    ended = select(orders.c.id, orders.c.settled_at).where(orders.c.settled_at.is_not(None))
    return {row.id: row.settled_at for row in session.execute(ended)}

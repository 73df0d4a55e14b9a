"""What came of a torture: numbers for people, promises for the exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import select

from lab.audit import Report
from lab.books import database_of
from lab.promises import Promise
from lab.torture.history import History
from lab.torture.load import Load
from lab.torture.nemesis import Nemesis
from lab.torture.outages import Outage
from lab.torture.truth import Told
from patterns.database import Session

LEAST_SUCCESS = 0.15
"""The share of each mode's orders that must succeed: an audit of failures alone says little."""
MANY = 20


@dataclass
class Result:
    """What came of one round: of one mode, or of several at once."""

    mode: str
    """The mode, or several that had their turn at the same time, with + between them."""
    orders: int
    endings: dict[str, int]
    by_mode: dict[str, dict[str, int]]
    """The same for each mode."""
    why_failed: dict[str, int]
    killed: dict[str, int]
    """How often each process was killed."""
    outages: list[Outage]
    """The times RabbitMQ was away."""
    faults: dict[str, int]
    """What else was done, as ``kind`` or ``kind @ where``."""
    missed: dict[str, int]
    """What was tried and came to nothing: nobody came by, or nobody noticed."""
    outcomes: dict[str, int]
    """Requests by what was asked and what came of it, as far as the client knows."""
    requests: int
    retried: int
    placed_unheard: int
    """Orders placed by a request whose answer got lost; the repetition found them."""
    load_seconds: float
    seconds: float
    report: Report
    truths: list[Promise]

    @classmethod
    def of(
        cls, load: Load, told: Told, nemesis: Nemesis, load_seconds: float, seconds: float, report: Report,
        truths: list[Promise],
    ) -> Result:
        """Count what happened."""
        endings = Counter(row.status for row in told.stored.values())
        by_mode = {
            mode: dict(Counter(row.status for row in told.stored.values() if row.mode == mode)) for mode in load.modes
        }
        why = database_of("order").read(_why_failed, {row.user_id for row in told.stored.values()}, load.modes)
        return cls(
            load.name, len(told.wanted), dict(endings), by_mode, why, dict(nemesis.killed), nemesis.outages,
            dict(nemesis.faults.happened), dict(nemesis.faults.missed),
            dict(Counter(f"{one.what} {one.outcome}" for one in told.history.requests)), len(told.history.requests),
            told.history.retried, _placed_unheard(told, told.history), load_seconds, seconds, report, truths,
        )

    @property
    def hardly(self) -> list[str]:
        """The modes in which too few orders succeeded to say much, once there are some."""
        few = []
        for mode, endings in self.by_mode.items():
            orders, succeeded = sum(endings.values()), endings.get("SUCCESS", 0)
            if orders >= MANY and succeeded < LEAST_SUCCESS * orders:
                few.append(f"{mode}: {succeeded} of {orders} orders succeeded, at least {LEAST_SUCCESS:.0%} should")
        return few

    @property
    def clean(self) -> bool:
        """Whether every promise was kept, and every answer true."""
        return self.report.clean and not any(truth.broken for truth in self.truths)


@dataclass
class Totals:
    """What came of all modes; ``audit`` is the last one, from outside, after the shop was closed."""

    results: list[Result]
    endings: list[str]
    audit: Report
    logs: str | None = field(default=None)

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, nothing doubled, nothing told that is not so; and enough orders succeeded to say it."""
        return not self.hardly and self.audit.clean and not self.endings and all(result.clean for result in self.results)

    @property
    def hardly(self) -> list[str]:
        """Where too little succeeded."""
        return [what for result in self.results for what in result.hardly]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {"clean": self.clean, "hardly": self.hardly, **asdict(self)}


def _placed_unheard(told: Told, history: History) -> int:
    """Orders that were there before the request began which was answered."""
    answered = {one.order_id: one.began for one in history.of("place") if one.outcome == "ok"}
    return sum(told.stored[order_id].placed_at < began for order_id, began in answered.items() if order_id in told.stored)


def _why_failed(session: Session, customers: set[int], modes: Sequence[str]) -> dict[str, int]:
    from order.models import history, orders

    ends = (
        select(history.c.event, orders.c.reason).join(orders, orders.c.id == history.c.order_id)
        .where(orders.c.user_id.in_(customers), orders.c.mode.in_(modes), history.c.reason.is_not(None))
    )
    late = "not settled before its deadline"
    return dict(Counter("deadline" if row.reason == late else row.event for row in session.execute(ends)))

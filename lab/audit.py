"""The audit: every promise, checked on the databases and queues as they are.

Effects are counted, not trusted: it reads every row, in whichever databases and broker the settings name.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from lab.books import Books, database_of, open_books
from lab.promises import Promise, check
from lab.queues import queue_depths
from patterns import outbox
from patterns.database import Session
from patterns.shop import SERVICES


@dataclass
class Report:
    """What the audit found."""

    promises: list[Promise]
    orders: dict[str, int]
    parked: dict[str, int]
    unfinished: list[str]

    @property
    def clean(self) -> bool:
        """Whether every promise is kept and nothing is under way."""
        return not self.unfinished and not any(promise.broken for promise in self.promises)

    @property
    def complaint(self) -> str:
        """What is not as it should be, in one line; empty when clean."""
        broken = [f"{promise.text} {promise.broken[:3]}" for promise in self.promises if promise.broken]
        return "; ".join(broken + self.unfinished)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {"clean": self.clean, **asdict(self)}

    def show(self, console: Console) -> None:
        """The report for people."""
        table = Table("promise", "broken", title="Audit", title_justify="left")
        for promise in self.promises:
            worst = "; ".join(promise.broken[:3])
            table.add_row(promise.text, f"[red]{len(promise.broken)} times: {worst}[/]" if promise.broken else "never")
        console.print(table)
        console.print(f"orders: {self.orders}   parked messages: {self.parked or 'none'}", highlight=False)
        for left in self.unfinished:
            console.print(f"[yellow]still under way: {left}[/]", highlight=False)
        console.print("[green]clean[/]" if self.clean else "[red]not clean[/]")


def audit_when_quiet(seconds: float) -> Report:
    """Wait until nothing is under way, at most so long, then check every promise.

    A broker tells how many messages are ready, not how many are in somebody's hands; so what looks broken is looked at
    again until time is over.
    """
    until, pause = time.monotonic() + seconds, 0.01
    while True:
        left = under_way()
        over = time.monotonic() >= until
        if not left or over:
            report = audit(left)
            if report.clean or over:
                return report
        time.sleep(pause)  # the shop may be another process, which tells nobody here
        pause = min(pause * 1.5, 0.1)


def under_way() -> list[str]:
    """What is not finished: open orders, undo that goes on, unsent outbox rows, messages in queues."""
    left = database_of("order").read(_open_orders)
    for service in SERVICES:
        if waiting := database_of(service).read(outbox.unsent):
            left.append(f"{waiting} outbox rows of {service}")
    depths = queue_depths().items()
    return left + [f"{depth} messages in {queue}" for queue, depth in depths if depth and not queue.endswith(".parked")]


def _open_orders(session: Session) -> list[str]:
    from order.models import orders

    def count(*where: Any) -> int:
        return int(session.execute(select(func.count()).select_from(orders).where(*where)).scalar_one())

    still = {
        "orders PROCESSING": count(orders.c.status == "PROCESSING"),
        "failed orders not undone": count(orders.c.status == "FAILED", orders.c.undone_at.is_(None)),
    }
    return [f"{number} {what}" for what, number in still.items() if number]


def audit(unfinished: list[str]) -> Report:
    """Check every promise; ``unfinished`` is what is still under way."""
    books: Books = open_books()
    statuses = [order.status for order in books.orders.values()]
    return Report(
        promises=check(books), unfinished=unfinished,
        orders={status: statuses.count(status) for status in ("PROCESSING", "SUCCESS", "FAILED")},
        parked={queue: depth for queue, depth in queue_depths().items() if depth and queue.endswith(".parked")},
    )

"""One run: an open shop that nobody has used, its clients, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import httpx
from sqlalchemy import func, select

from lab import clients
from lab.audit import audit_when_quiet, under_way
from lab.books import database_of
from lab.compare.clients import ANSWER_SECONDS, Client
from lab.compare.places import Place
from lab.compare.plan import CompareTrouble, Plan
from lab.compare.result import Ending, counted
from lab.compare.state import final_state, unforeseen
from lab.compare.workload import Workload
from lab.local import LocalShop
from patterns.database import Session
from patterns.shop import SERVICES

TICK_SECONDS = 0.1


@dataclass(frozen=True)
class Tick:
    """How far a run has come."""

    doing: str
    mode: str = ""
    settled: int = 0


Watch = Callable[[Tick], None]


@dataclass
class Run:
    """One mode in a shop of its own, stocked and warmed up."""

    plan: Plan
    mode: str
    work: Workload
    shop: LocalShop
    client: Client
    watch: Watch

    def tick(self, doing: str) -> None:
        """Tell how many orders are settled."""
        settled = database_of("order").read(_settled) - len(self.work.warm_up)
        self.watch(Tick(doing, self.mode, max(0, settled)))

    @property
    def ignored(self) -> int:
        """Copies so far that meant nothing to the service that heard them."""
        return sum(self.shop.service(service).listener.counts["ignored"] for service in SERVICES)

    def end(self, cancelling: bool = False) -> Ending:
        """Wait until all is quiet; then hold everything against the promises, and against what was foreseen."""
        self.tick("coming to rest")
        report = audit_when_quiet(self.plan.quiet_seconds)
        state = final_state(self.work)
        broken = [f"{promise.text} {'; '.join(promise.broken[:3])}" for promise in report.promises if promise.broken]
        parked = [f"{number} messages are parked in {queue}" for queue, number in report.parked.items()]
        failed = [state.ended_by[name] for name, how in state.orders.items() if how.startswith("FAILED")]
        return Ending(
            settled=report.orders["SUCCESS"] + report.orders["FAILED"] - len(self.work.warm_up),
            endings={"SUCCESS": report.orders["SUCCESS"] - len(self.work.warm_up), "FAILED": report.orders["FAILED"]},
            why_failed=counted(failed), state=state,
            wrong=broken + report.unfinished + parked + unforeseen(self.work, state, cancelling),
        )


@contextmanager
def opened(plan: Plan, mode: str, work: Workload, place: Place, watch: Watch) -> Iterator[Run]:
    """Open a shop for one run: fresh databases, the customers and goods of the workload, a few orders to warm up."""
    watch(Tick("opening a shop", mode))
    unlimited = httpx.Limits(max_connections=None)
    with (
        place.fresh() as where,
        LocalShop(**plan.settings, **where) as shop,
        clients.client(base_url=shop.http("order").base_url, timeout=ANSWER_SECONDS, limits=unlimited) as http,
    ):
        client = Client(http, mode, time.monotonic() + plan.limit_seconds)
        stock_up(shop, work)
        for wanted in work.warm_up:
            client.look_until_settled(client.place(wanted))
        _wait_until_quiet(plan.quiet_seconds)
        yield Run(plan, mode, work, shop, client, watch)


def stock_up(shop: LocalShop, work: Workload) -> None:
    """Open the accounts and fill the shelves; every shop gives them the same numbers."""
    made = [("user", "users", {"name": f"Customer {number}", "balance_cents": cents})
            for number, cents in enumerate(work.customers, start=1)]
    made += [("product", "products", {"name": f"Product {number}", "price_cents": price, "quantity": pieces})
             for number, (price, pieces) in enumerate(work.products, start=1)]
    expected = [*range(1, len(work.customers) + 1), *range(1, len(work.products) + 1)]
    for (service, path, body), number in zip(made, expected, strict=True):
        given = shop.http(service).post(f"/{path}", json=body).raise_for_status().json()["id"]
        if given != number:
            raise CompareTrouble(f"The new {service} got the number {given}, not {number}: the shop was not empty.")


def _wait_until_quiet(seconds: float) -> None:
    until, pause = time.monotonic() + seconds, Event()
    while left := under_way():
        if time.monotonic() > until:
            raise CompareTrouble(f"The shop does not come to rest before the first order is measured: {', '.join(left)}")
        pause.wait(TICK_SECONDS)


def _settled(session: Session) -> int:
    from order.models import orders

    settled = select(func.count()).select_from(orders).where(orders.c.status != "PROCESSING")
    return int(session.execute(settled).scalar_one())

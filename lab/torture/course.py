"""The course of a torture: for each mode load and kills, then quiet, then the audit; all in one and the same shop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from lab.audit import Report, audit, under_way
from lab.books import database_of
from lab.promises import Promise
from lab.torture.embedded import shop_for
from lab.torture.load import Load
from lab.torture.losing import lose_a_queue
from lab.torture.nemesis import Nemesis
from lab.torture.outages import Broker, promises_of
from lab.torture.plan import Plan, TortureTrouble
from lab.torture.result import Result, Totals
from lab.torture.shops import TorturedShop, forget_connections
from lab.torture.truth import check_truth, what_is_so
from lab.torture.wishes import Wish, stock_up, wishes
from patterns.database import Session
from patterns.errors import DatabaseUnavailable
from patterns.settings import settings

TICK_SECONDS = 0.25
AFTERWARDS = 4
"""Orders after a queue was deleted."""
WELL = "After each fault every process is ready again, and whoever is told to end ends in order."
RETRIES_SECONDS = 45.0
"""Nothing seems under way, and yet a message may be in a service's hands, or on the ladder of retries (1 + 5 + 25 s)."""


@dataclass(frozen=True)
class Tick:
    """How far one mode has come."""

    doing: str
    mode: str = ""
    accepted: int = 0
    settled: int = 0
    strikes: int = 0


Watch = Callable[[Tick], None]


def torture(plan: Plan, watch: Watch = lambda _: None) -> Totals:
    """Carry out a plan and answer what came of it.  Raises TortureTrouble when the torture itself failed."""
    if plan.restarts and (plan.embedded or settings().rabbitmq_url):
        raise TortureTrouble("Only a RabbitMQ of the torture's own is restarted: unset RABBITMQ_URL, and not --embedded.")
    watch(Tick("starting servers and services"))
    with shop_for(plan) as shop:
        results = [_torture_mode(shop, mode, watch) for mode in plan.modes]
        if plan.lose_queues:
            results += [_lose_a_queue(shop, mode, watch) for mode in plan.modes]
        watch(Tick("closing the shop"))
        endings = shop.close()
        # Once more, from outside: what a service had in its hands is back in its queue, so every message is counted.
        totals = Totals(results, endings, audit(under_way()))
        shop.keep_logs = not totals.clean
        totals.logs = str(shop.logs) if shop.keep_logs else None
        return totals


def _lose_a_queue(shop: TorturedShop, mode: str, watch: Watch) -> Result:
    """Delete one of a mode's queues when all is quiet; then a few orders, which need it."""
    plan = replace(shop.plan, orders=AFTERWARDS, clients=1, kills=0, restarts=0, faults=(), seed=shop.plan.seed + 1)
    queue, back = lose_a_queue(shop, mode, plan.chance(mode, "queue"))
    result = _torture_mode(shop, mode, watch, plan)
    result.faults["queue deleted"] = 1
    result.truths.append(Promise("Who reads a queue that is deleted notices, and reads it again.", back))
    watch(Tick(f"{queue} was deleted, and is back"))
    return result


def _torture_mode(shop: TorturedShop, mode: str, watch: Watch, plan: Plan | None = None) -> Result:
    plan, began = plan or shop.plan, time.monotonic()
    stock = stock_up(plan, mode, shop.urls("user")[0], shop.urls("product")[0])
    wanted = wishes(plan, mode, stock)
    load = Load(plan, mode, wanted, shop.urls("order"))
    broker = Broker(shop.node, shop.processes, plan.instances) if shop.node is not None else None
    nemesis = Nemesis(plan, shop, load, broker)

    def tick(doing: str) -> None:
        settled = 0
        with suppress(DatabaseUnavailable):  # taken away, for now
            settled = database_of("order").read(_settled, mode, wanted)
        strikes = nemesis.killed.total() + len(nemesis.outages) + nemesis.faults.happened.total()
        watch(Tick(doing, mode, len(load.history.accepted), settled, strikes))

    _fight(load, nemesis, lambda: tick("under load"))
    loaded = time.monotonic() - began
    for process in shop.processes:
        process.wait_until_ready()
    forget_connections()  # ours were cut off as well, each pool's at another time
    report = _audit_when_quiet(plan.quiet_seconds, lambda: tick("coming to rest"))
    tick("asking for every order")
    told = what_is_so(mode, wanted, load.history, shop.urls("order"))
    seconds = time.monotonic() - began
    truths = check_truth(told) + promises_of(nemesis.outages) + [Promise(WELL, nemesis.faults.unwell)]
    return Result.of(mode, told, nemesis, loaded, seconds, report, truths)


def _fight(load: Load, nemesis: Nemesis, tick: Callable[[], None]) -> None:
    """Load and kills at once, until every client has its answers and the nemesis has had its kills."""
    try:
        load.start()
        nemesis.start()
        while load.running and nemesis.trouble is None:
            tick()
            time.sleep(TICK_SECONDS)  # a progress bar's pace
        if load.gave_up:
            load.stop()
            nemesis.stop()
        while nemesis.running:
            tick()
            time.sleep(TICK_SECONDS)
        load.join()
    finally:  # also on Ctrl-C: nobody may start a process any more
        load.stop()
        nemesis.stop()
        nemesis.join()


def _audit_when_quiet(seconds: float, tick: Callable[[], None]) -> Report:
    """The audit of a shop that runs, as soon as nothing is under way; after so many seconds of whatever is there."""
    until, report = time.monotonic() + seconds, None
    while report is None or not report.clean:
        left = under_way()
        if time.monotonic() > until or not left:
            if report is None:
                until = min(until, time.monotonic() + RETRIES_SECONDS)
            report = audit(left)
            if time.monotonic() > until:
                break
        tick()
        time.sleep(TICK_SECONDS)
    return report


def _settled(session: Session, mode: str, wanted: Sequence[Wish]) -> int:
    from order.models import orders

    theirs = orders.c.user_id.in_({wish.user_id for wish in wanted}), orders.c.mode == mode
    settled = select(func.count()).select_from(orders).where(*theirs, orders.c.status != "PROCESSING")
    return int(session.execute(settled).scalar_one())

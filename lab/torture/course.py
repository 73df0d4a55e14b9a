"""The course of a torture: load and strikes, heal, a few orders more, quiet, audit; for each mode, or for all at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.audit import Report, audit, under_way
from lab.promises import Promise
from lab.torture.embedded import shop_for
from lab.torture.going import HowItGoes
from lab.torture.load import Load, stocked
from lab.torture.losing import lose_a_queue
from lab.torture.nemesis import Nemesis
from lab.torture.outages import Broker, promises_of
from lab.torture.plan import Plan, TortureTrouble
from lab.torture.result import Result, Totals
from lab.torture.shops import TorturedShop, forget_connections
from lab.torture.stuck import Stuck
from lab.torture.truth import check_truth, what_is_so
from patterns.settings import settings

TICK_SECONDS = 0.25
AFTERWARDS = 2
"""Orders in each mode when all is well again, and after a queue was deleted."""
WELL = "After each fault every process is ready again, and whoever is told to end ends in order."
RETRIES_SECONDS = 45.0
"""Nothing seems under way, and yet a message may be in a service's hands, or on the ladder of retries (1 + 5 + 25 s)."""


@dataclass(frozen=True)
class Tick:
    """How far one round has come."""

    doing: str
    mode: str = ""
    accepted: int = 0
    settled: int = 0
    strikes: int = 0


Watch = Callable[[Tick], None]


def torture(
    plan: Plan, watch: Watch = lambda _: None, shop_of: Callable[[Plan], TorturedShop] = shop_for
) -> Totals:
    """Carry out a plan and answer what came of it.  Raises TortureTrouble when the torture itself failed."""
    if plan.restarts and (plan.embedded or settings().rabbitmq_url):
        raise TortureTrouble("Only a RabbitMQ of the torture's own is restarted: unset RABBITMQ_URL, and not --embedded.")
    watch(Tick("starting servers and services"))
    with shop_of(plan) as shop:
        results = [_round(shop, modes, watch) for modes in plan.rounds]
        if plan.lose_queues:
            results += [_lose_queues(shop, modes, watch) for modes in plan.rounds]
        watch(Tick("closing the shop"))
        endings = shop.close()
        # Once more, from outside: what a service had in its hands is back in its queue, so every message is counted.
        totals = Totals(results, endings, audit(under_way()))
        shop.keep_logs = not totals.clean
        totals.logs = str(shop.logs) if shop.keep_logs else None
        return totals


def _lose_queues(shop: TorturedShop, modes: tuple[str, ...], watch: Watch) -> Result:
    """Delete one of each mode's queues when all is quiet; then a few orders, which need it."""
    plan = replace(shop.plan, orders=AFTERWARDS, clients=len(modes), kills=0, restarts=0, faults=(), seed=shop.plan.seed + 1)
    back = []
    for mode in modes:
        queue, wrong = lose_a_queue(shop, mode, plan.chance(mode, "queue"))
        back += wrong
        watch(Tick(f"{queue} was deleted, and is back"))
    result = _round(shop, modes, watch, plan)
    result.faults["queue deleted"] = len(modes)
    result.truths.append(Promise("Who reads a queue that is deleted notices, and reads it again.", back))
    return result


def _round(shop: TorturedShop, modes: tuple[str, ...], watch: Watch, plan: Plan | None = None) -> Result:
    plan, began = plan or shop.plan, time.monotonic()
    load = stocked(plan, modes, shop.urls("user")[0], shop.urls("product")[0], shop.urls("order"))
    broker = Broker(shop.node, shop.processes, plan.instances) if shop.node is not None else None
    going = HowItGoes(load)
    nemesis = Nemesis(plan, shop, load, going, broker)

    def tick(doing: str) -> None:
        watch(Tick(doing, load.name, len(load.history.accepted), going.settled(), nemesis.struck))

    try:
        _fight(load, nemesis, lambda: tick("under load"))
        for process in shop.processes:
            process.wait_until_ready()
        well_since = time.time()
        _afterwards(load)
    finally:  # also on Ctrl-C: nobody may start a process any more
        load.stop()
        nemesis.stop()
        nemesis.join()
    loaded = time.monotonic() - began
    forget_connections()  # ours were cut off as well, each pool's at another time
    report = _audit_when_quiet(plan, lambda: tick("coming to rest"))
    tick("asking for every order")
    told = what_is_so(load, well_since)
    seconds = time.monotonic() - began
    truths = check_truth(told) + promises_of(nemesis.outages) + [Promise(WELL, nemesis.faults.unwell)]
    return Result.of(load, told, nemesis, loaded, seconds, report, truths)


def _fight(load: Load, nemesis: Nemesis, tick: Callable[[], None]) -> None:
    """Load and strikes at once, until the nemesis is done and every client has its answers."""
    load.start()
    nemesis.start()
    while nemesis.running or not (load.idle or nemesis.trouble or load.over):
        tick()
        time.sleep(TICK_SECONDS)  # a progress bar's pace
        if load.over:
            nemesis.stop()
    nemesis.join()


def _afterwards(load: Load) -> None:
    """A few orders when all is well, for which nobody needs to ask twice."""
    load.supply.permit(AFTERWARDS * len(load.modes))
    load.supply.last_call()
    load.join()


def _audit_when_quiet(plan: Plan, tick: Callable[[], None]) -> Report:
    """The audit of a shop that runs, as soon as nothing is under way; after so many seconds of whatever is there."""
    until, report = time.monotonic() + plan.quiet_seconds, None
    stuck = Stuck(plan.stuck_seconds)
    while report is None or not report.clean:
        left = under_way()
        over = time.monotonic() > until or stuck.still(left)
        if over or not left:
            if report is None:
                until = min(until, time.monotonic() + RETRIES_SECONDS)
            report = audit(left)
            if over:
                break
        tick()
        time.sleep(TICK_SECONDS)
    return report

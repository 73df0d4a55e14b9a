"""A run in which one service is away for a while: what clients see meanwhile, and how long it takes to catch up.

::

    service   up |────────── away ──────────|──── up again ────
    orders       | . . . . . . . . . . . .  |        all settled
                 one after another, as they     '── recovery ──'
                 come: nobody waits for others
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from lab.compare.clients import Seen
from lab.compare.figures import Spread, settled_at, traffic
from lab.compare.result import Outage
from lab.compare.run import TICK_SECONDS, Run
from lab.compare.workload import Fate

T = TypeVar("T")

MOST_CLIENTS = 200
CANCELLERS = 4


def outage_run(run: Run) -> Outage:
    """Take a service away, place all orders, bring it back, wait until all are settled, and measure."""
    run.shop.stop(run.plan.down)
    began = time.time()
    most = min(MOST_CLIENTS, run.plan.orders)
    with ThreadPoolExecutor(most, "client") as clients, ThreadPoolExecutor(CANCELLERS, "canceller") as cancellers:
        try:
            placing, cancelling = _arrive(run, began, clients, cancellers)
            _watch_until(run, cancelling, began + run.plan.outage_seconds)
            back = time.time()
            run.shop.start(run.plan.down)
            _watch_until(run, placing, 0)
            seen = [future.result() for future in placing]
            cancelled = len([future.result() for future in cancelling])
        except BaseException:
            clients.shutdown(cancel_futures=True)
            cancellers.shutdown(cancel_futures=True)
            raise
    return _measured(run, seen, began, back, cancelled)


def _arrive(
    run: Run, began: float, clients: ThreadPoolExecutor, cancellers: ThreadPoolExecutor
) -> tuple[list[Future[Seen]], list[Future[None]]]:
    """Customers come one after another, evenly over the outage, whether those before them have been served or not."""
    placing, cancelling, pause = [], [], Event()
    for number, wanted in enumerate(run.work.wanted):
        pause.wait(began + number * run.plan.outage_seconds / run.plan.orders - time.time())
        placing.append(clients.submit(run.client.place, wanted))
        if wanted.fate is Fate.CANCELLED and run.plan.cancels:
            cancelling.append(cancellers.submit(run.client.cancel, wanted))
        run.tick(f"{run.plan.down} is away")
    return placing, cancelling


def _watch_until(run: Run, futures: Sequence[Future[T]], at: float) -> None:
    """Wait until all of these are done, and it is that late."""
    left, pause = set(futures), Event()
    while left or time.time() < at:
        done, left = wait(left, TICK_SECONDS)
        for future in done:
            future.result()  # what went wrong there is not waited for
        run.tick(f"{run.plan.down} is away" if at else f"{run.plan.down} is back")
        if not left:
            pause.wait(min(TICK_SECONDS, max(0.0, at - time.time())))


def _measured(run: Run, seen: list[Seen], began: float, back: float, cancelled: int) -> Outage:
    ending = run.end(cancelling=run.plan.cancels)
    ends = settled_at()
    ends = {one.wanted.order_id: ends[one.wanted.order_id] for one in seen if one.wanted.order_id in ends}
    meanwhile = [one for one in seen if one.began < back]
    return Outage(
        ending=ending, seconds=round(back - began, 2), asked=len(meanwhile), cancelled=cancelled,
        final=sum(one.final for one in meanwhile), accepted=sum(not one.final for one in meanwhile),
        refused=sum(one.refused > 0 for one in meanwhile), answered=Spread.of([one.answered_after for one in meanwhile]),
        settled_meanwhile=sum(at < back for at in ends.values()), again=traffic(list(ends)).again,
        recovery_seconds=round(max(0.0, max(ends.values()) - back), 2),
        settled_at=sorted(round(at - began, 3) for at in ends.values()),
    )

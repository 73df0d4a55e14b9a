"""A run with everything in place: what a mode costs, and how long it takes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait

from lab.compare.clients import Seen
from lab.compare.figures import Meter, Spread, settled_after, traffic
from lab.compare.result import Calm, costs, counted, per_order
from lab.compare.run import TICK_SECONDS, Run
from lab.compare.workload import Wanted


def calm_run(run: Run) -> Calm:
    """Place all orders, a few clients at once, and measure."""
    before, began = Meter.read(run.ignored), time.monotonic()
    seen = _place_all(run)
    seconds = time.monotonic() - began
    ending = run.end()
    spent, orders = Meter.read(run.ignored).since(before), len(seen)
    latencies = settled_after(seen)
    return Calm(
        ending=ending, transactions=per_order(spent.transactions, orders), commits=dict(spent.commits),
        codes=counted([str(one.code) for one in seen]), final_answers=per_order(sum(one.final for one in seen), orders),
        polls=per_order(sum(one.polls for one in seen), orders), answered=Spread.of([one.answered_after for one in seen]),
        settled=Spread.of(latencies), seconds=round(seconds, 2), latencies=[round(1000 * one, 1) for one in latencies],
        **costs(traffic([one.wanted.order_id for one in seen]), spent.ignored, orders),
    )


def _place_all(run: Run) -> list[Seen]:
    """Every client takes one order after another, and waits until it knows its ending."""

    def one(wanted: Wanted) -> Seen:
        seen = run.client.place(wanted)
        run.client.look_until_settled(seen)
        return seen

    with ThreadPoolExecutor(run.plan.clients, "client") as clients:
        try:
            left = set(asked := [clients.submit(one, wanted) for wanted in run.work.wanted])
            while left:
                _, left = wait(left, TICK_SECONDS)
                run.tick("all services are there")
            return [future.result() for future in asked]
        except BaseException:
            clients.shutdown(cancel_futures=True)
            raise

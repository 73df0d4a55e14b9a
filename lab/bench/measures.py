"""What is measured of a team in one turn, each as plain figures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from statistics import quantiles
from uuid import UUID

from lab.bench.load import Placed
from lab.bench.plan import BenchTrouble, Kind
from lab.bench.session import Seen, Session

Figures = dict[str, float]

ACCEPTING = 16
"""Clients at once while a backlog is made."""
FIRST, MIDDLE, LAST = 0.2, 0.5, 0.8
"""The steady part of a drain is between the first and the last of these shares of its orders."""
PARTS = 8
"""In how many parts the steady part is looked at by itself."""
LOOK_SECONDS = 0.005
"""How often the orders that clients wait for are looked at, all in one statement by key."""


def drain(session: Session, orders: int, kinds: Collection[Kind]) -> dict[str, Figures]:
    """Accept a backlog while nobody works on it (``accept``); then let all begin, until it is settled (``drain``)."""
    watcher, since = session.watcher, session.watcher.now()
    session.team.pause("order")
    before, session.part = session.spent(), (0.0, 0.5)
    _, seconds = session.place(orders, ACCEPTING)
    watcher.wait_until_sent("order")
    accepted = session.spent()
    accept = {"orders_per_second": orders / seconds, **accepted.since(before).per_order(orders)}
    began, session.part = watcher.now(), (0.5, 1.0)
    session.team.resume()
    seen = session.settle(orders)
    watcher.wait_until_quiet()
    spent = session.spent().since(accepted)
    ends = session.ends_since(since, orders)
    drained = {"orders_per_second": orders / (ends[-1] - began), **steadiness(ends, seen), **spent.per_order(orders)}
    measured: dict[Kind, Figures] = {"accept": accept, "drain": drained}
    return {kind: figures for kind, figures in measured.items() if kind in kinds}


def steadiness(ends: Sequence[float], seen: Sequence[Seen]) -> Figures:
    """The rate of the steady middle, of its halves, and of the slowest of its eight parts; and how memory grew meanwhile.

    Orders of one batch settle at one moment: too few of them have no rate.
    """
    def rate(begin: float, end: float) -> float:
        first, last = (ends[int(share * (len(ends) - 1))] for share in (begin, end))
        return (end - begin) * len(ends) / (last - first) if last > first else 0.0

    figures = growth([memory for done, memory in seen if done >= FIRST * len(ends)])
    if len({ends[int(share * (len(ends) - 1))] for share in (FIRST, MIDDLE, LAST)}) < 3:
        return figures
    width = (LAST - FIRST) / PARTS
    parts = [rate(FIRST + part * width, FIRST + (part + 1) * width) for part in range(PARTS)]
    return figures | {
        "steady_per_second": rate(FIRST, LAST), "early_per_second": rate(FIRST, MIDDLE),
        "late_per_second": rate(MIDDLE, LAST), "slowest_part_per_second": min(parts),
    }


def growth(memory: Sequence[Sequence[float]]) -> Figures:
    """The memory of all processes at first and at last, and by how much the one grew that grew most, in percent."""
    first, last = memory[0], memory[-1]
    grown = [100 * (max(at_once) / at_once[0] - 1) for at_once in zip(*memory, strict=True)]
    return {"memory_early_mib": sum(first), "memory_late_mib": sum(last), "memory_grown_percent": max(grown)}


def idle(session: Session, seconds: float) -> Figures:
    """What it takes to wait for work: the share of a core that one process uses, in percent."""
    before = session.spent()
    threading.Event().wait(seconds)
    spent = session.spent().since(before).cpu["services"]
    return {"idle_percent": 100 * spent / seconds / len(session.team.processes)}


def closed_loop(session: Session, orders: int, clients: int) -> Figures:
    """So many clients, each placing its next order when the last is settled."""
    return _timed(session, orders, clients, 0.0)


def open_loop(session: Session, orders: int, per_second: float) -> Figures:
    """Orders that come at this rate, whether the last are settled or not; their time counts from when they were due."""
    return _timed(session, orders, 64, 1 / per_second)


def _timed(session: Session, orders: int, clients: int, gap_seconds: float) -> Figures:
    before, endings = session.spent(), Endings(session, orders)
    with endings:
        crowd, seconds = session.place(orders, clients, endings.wait, gap_seconds)
    session.watcher.wait_until_quiet()
    spent = session.spent().since(before)
    lead = session.watcher.lead()
    times = [placed.answered_after if placed.final else endings.at[placed.order_id] - lead - placed.began
             for placed in crowd.placed]
    return {"orders_per_second": orders / seconds, **spread(times), **spent.per_order(orders)}


def spread(seconds: Sequence[float]) -> Figures:
    """Percentiles in milliseconds."""
    if len(seconds) < 2:
        raise BenchTrouble("one order has no percentiles")
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"p{share}_ms": round(1000 * cuts[share - 1], 2) for share in (5, 10, 25, 50, 75, 90, 95, 99)}


class Endings:
    """Lets clients wait for their orders' endings: one thread looks, for all of them."""

    def __init__(self, session: Session, orders: int) -> None:
        self._session, self._orders = session, orders
        self.at: dict[UUID, float] = {}
        self._bells: dict[UUID, threading.Event] = {}
        self._wanted, self._over = threading.Event(), threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Endings:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._wanted.set()
        self._looking.join()

    def wait(self, placed: Placed) -> None:
        """Wait until this order is settled; one whose answer was the ending is."""
        if not placed.final:
            bell = threading.Event()
            self._bells[placed.order_id] = bell
            self._wanted.set()
            if not bell.wait(self._session.plan.limit_seconds):
                raise BenchTrouble(f"{self._session.team.name}: order {placed.order_id} does not settle")
        self._session.tell(len(self.at), self._orders)

    def _look(self) -> None:
        while self._wanted.wait() and not self._over.is_set():
            if not (open_orders := list(self._bells)):
                self._wanted.clear()
                if self._bells:
                    self._wanted.set()
                continue
            for order_id, at in self._session.watcher.settled(open_orders).items():
                self.at[order_id] = at
                self._bells.pop(order_id).set()
            self._over.wait(LOOK_SECONDS)


Measure = Callable[[Session], dict[str, Figures]]

"""What is measured in which order, and how far that has come, counted in orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from lab.bench.measures import Measure, closed_loop, drain, idle, open_loop
from lab.bench.plan import Plan
from lab.bench.result import HALF, Results, loop_name
from lab.bench.session import Session, Tick, Watch

RATE = "orders_per_second"


@dataclass(frozen=True)
class Item:
    """One measurement: its name, the orders each team has in it, and how it is made."""

    name: str
    orders: int
    measure: Measure


@dataclass
class Agenda:
    """The measurements of a run, and who hears how far it is."""

    results: Results
    teams: int
    watch: Watch
    orders: int = field(default=0, init=False)
    """Those of the whole run."""
    _done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        plan = self.results.plan
        self.orders = self.teams * sum(
            item.orders for mode in plan.modes for turn in range(plan.rounds) for item in self.items(mode, turn))

    def items(self, mode: str, turn: int) -> list[Item]:
        """What is measured in this round of a mode; the first begins with some orders that do not count."""
        plan, items = self.results.plan, list[Item]()
        if turn == 0:
            items.append(Item("warm-up", plan.warm_up, _warm_up))
        if turn == 0 and mode == plan.modes[0] and plan.idle_seconds:
            items.append(Item("idle", 0, lambda session: {"idle": idle(session, plan.idle_seconds)}))
        return [*items, *_measured(mode, plan, self.results)]

    def take(self, mode: str, turn: int, sessions: Sequence[Session]) -> None:
        """Make each measurement of this round once with each team."""
        rounds = self.results.plan.rounds
        for item in self.items(mode, turn):
            for session in sessions:
                session.told = partial(self._tell, item, Tick(item.name, mode, session.team.name, turn + 1, rounds))
                session.told(0)
                with session.turn(mode):
                    found = item.measure(session)
                self._done += item.orders
                for what, figures in found.items():
                    self.results.note(mode, what, session.team.name, figures)

    def _tell(self, item: Item, tick: Tick, share: float) -> None:
        self.watch(replace(tick, done=self._done + round(share * item.orders), orders=self.orders))


def _measured(mode: str, plan: Plan, results: Results) -> Iterator[Item]:
    """The measurements of a mode.  A client of rpc waits for the ending, so that there is no backlog to accept."""
    if mode != "rpc" and {"drain", "accept"} & {*plan.kinds}:
        yield Item("drain", plan.orders, lambda session: drain(session, plan.orders, plan.kinds))
    for clients in plan.clients if "closed" in plan.kinds else ():
        yield Item(loop_name(clients), plan.looped(clients), _loop(clients, plan.looped(clients)))
    if "closed" in plan.kinds and plan.half_load:
        busiest = loop_name(max(plan.clients))
        yield Item(HALF, plan.looped(), lambda session: {
            HALF: open_loop(session, plan.looped(), results.latest(mode, busiest, session.team.name)[RATE] / 2)})


def _loop(clients: int, orders: int) -> Measure:
    return lambda session: {loop_name(clients): closed_loop(session, orders, clients)}


def _warm_up(session: Session) -> dict[str, dict[str, float]]:
    session.place(session.plan.warm_up, 4)
    return {}

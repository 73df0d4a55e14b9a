"""One team's turn: its processes go on, ours look at it, and afterwards everything must be as promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.bench.books import differences
from lab.bench.load import Clients, Then, bodies
from lab.bench.meter import Meter, Spent, memory
from lab.bench.plan import BenchTrouble, Plan
from lab.bench.teams import Team
from lab.bench.watch import Watcher


@dataclass(frozen=True)
class Tick:
    """How far the benchmark has come: who is measured in what, and how many orders of all it will have were done."""

    doing: str
    mode: str = ""
    team: str = ""
    turn: int = 0
    turns: int = 0
    done: int = 0
    orders: int = 0


Watch = Callable[[Tick], None]

Seen = tuple[int, list[float]]
"""How many orders were settled, and the memory of each process then, in MiB."""


@dataclass
class Session:
    """A team that is looked at, in one mode."""

    plan: Plan
    team: Team
    watcher: Watcher
    meter: Meter
    told: Callable[[float], None] = lambda _share: None
    """Hears which share of the present measurement is done."""
    part: tuple[float, float] = (0.0, 1.0)
    """From which share of it to which the present part goes."""
    mode: str = ""

    @contextmanager
    def turn(self, mode: str) -> Iterator[None]:
        """Let the team go on for this long; it is quiet, and its books are right, at the end."""
        self.mode, self.part = mode, (0.0, 1.0)
        self.team.point_here()
        self.team.resume()
        try:
            yield
            self.watcher.wait_until_quiet()
            if wrong := differences(self.team.database_url):
                raise BenchTrouble(f"{self.team.name}, mode {mode}: {'; '.join(wrong)}")
        finally:
            self.team.pause()

    def tell(self, done: int, orders: int) -> None:
        """So many orders of the present part are done."""
        begin, end = self.part
        self.told(begin + (end - begin) * done / orders)

    def spent(self) -> Spent:
        """What the team and its servers have spent until now."""
        return self.meter.read(self.team, self.watcher.pids)

    def place(self, orders: int, clients: int, then: Then | None = None, gap_seconds: float = 0.0) -> tuple[Clients, float]:
        """Place orders; answers the clients with what they saw, and the seconds it took."""
        crowd = Clients(self.team.ports, clients, then or (lambda _: self.tell(len(crowd.placed), orders)))
        return crowd, crowd.place(bodies(self.mode, orders), gap_seconds)

    def settle(self, orders: int) -> list[Seen]:
        """Wait until every order is settled; answers how many were, and the memory of each process then (MiB), as seen."""
        seen: list[Seen] = []

        def told(left: int) -> None:
            seen.append((orders - left, [memory(process.pid, "VmRSS") for process in self.team.processes]))
            self.tell(orders - left, orders)

        self.watcher.wait_until_settled(told)
        return seen

    def ends_since(self, moment: float, orders: int) -> list[float]:
        """When the orders placed since then became a success.  Raises BenchTrouble when not all of them did."""
        ends = self.watcher.ends_since(moment)
        if len(ends) != orders:
            raise BenchTrouble(f"{self.team.name}, mode {self.mode}: {len(ends)} of {orders} orders are a success")
        return ends

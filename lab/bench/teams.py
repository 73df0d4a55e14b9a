"""Those that are measured: ours, as in production, and the bare program; six roles, each a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.bench.plan import BenchTrouble
from lab.bench.shape import shape
from lab.compare.places import Real
from lab.migrate import migrate
from lab.servers import Keeper, free_ports
from lab.shop import declare_topology
from lab.torture.processes import ShopProcess
from lab.torture.shops import point_to
from patterns.shop import SERVICES

DEADLINE_SECONDS = 86_400
"""No order may end by its deadline."""

NO_HEARTBEAT = "?heartbeat=0"
"""A process that is stopped while the other is measured answers no heartbeat; nobody is to give it up for that."""


@dataclass
class Team:
    """One of those that are measured in turn: its processes, and where its messages and rows are.

    ``scale`` are the instances of a service that has more than one, ``rows`` the settled orders it begins with.
    """

    name: str
    bare: bool = False
    rows: int = 0
    scale: Mapping[str, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    rabbitmq_url: str = ""
    database_url: str = ""
    groups: dict[str, list[ShopProcess]] = field(default_factory=dict)

    @property
    def processes(self) -> list[ShopProcess]:
        """All its processes."""
        return [process for group in self.groups.values() for process in group]

    @property
    def ports(self) -> list[int]:
        """Where the instances of its order service answer."""
        return [int(process.environment["ORDER_PORT"]) for process in self.groups["order"]]

    def point_here(self) -> None:
        """Let our own settings be this team's, to look into its databases and queues."""
        point_to(rabbitmq_url=self.rabbitmq_url, database_url=self.database_url)

    def pause(self, *but: str) -> None:
        """Stop all processes where they are, except those of these services."""
        for service, group in self.groups.items():
            for process in group if service not in but else ():
                process.pause()

    def resume(self) -> None:
        """Let all of them go on."""
        for process in self.processes:
            process.resume()

    def check(self) -> None:
        """Raises BenchTrouble when one of its processes has ended."""
        for process in self.processes:
            if process.ended is not None:
                raise BenchTrouble(f"{self.name}: {process.name} ended with {process.ended}. {process.last_words()}")


@contextmanager
def running(teams: Sequence[Team], place: Real, folder: Path) -> Iterator[None]:
    """Let these teams run, each with a virtual host and databases of its own."""
    with ExitStack() as opened:
        for team in teams:
            where = opened.enter_context(place.fresh())
            team.rabbitmq_url, team.database_url = f"{where['rabbitmq_url']}{NO_HEARTBEAT}", where["database_url"]
            team.point_here()
            migrate(SERVICES, wait=30)
            declare_topology()
        keeper = Keeper("bench")
        opened.callback(keeper.close)
        (folder / "shape.json").write_text(json.dumps(shape(), indent=1), encoding="utf-8")
        for team in teams:
            _make(team, keeper, folder)
        for process in (started := [process for team in teams for process in team.processes]):
            process.start()
        for process in started:
            process.wait_until_ready()
        yield


def _make(team: Team, keeper: Keeper, folder: Path) -> None:
    for service in SERVICES:
        ports = free_ports(team.scale.get(service, 1))
        team.groups[service] = [
            _process(team, service, number, port, keeper, folder) for number, port in enumerate(ports, start=1)]


def _process(team: Team, service: str, number: int, port: int, keeper: Keeper, folder: Path) -> ShopProcess:
    environment: Mapping[str, str] = {
        "RABBITMQ_URL": team.rabbitmq_url, "DATABASE_URL": team.database_url, f"{service.upper()}_PORT": str(port),
        "ORDER_DEADLINE_SECONDS": str(DEADLINE_SECONDS), "ORDERFLOW_HOST": "127.0.0.1",
        "PAYMENT_FAILURE_RATE": "0", "DELIVERY_FAILURE_RATE": "0", **team.environment,
    }
    where = {service: f"http://127.0.0.1:{port}"} if not team.bare or service == "order" else {}
    process = ShopProcess(keeper, f"{team.name}-{service}-{number}", ["serve", service], environment, where, folder)
    if team.bare:
        process.command = [sys.executable, "-m", "lab.bench.bare", service, str(folder / "shape.json")]
    return process

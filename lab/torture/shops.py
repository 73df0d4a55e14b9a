"""The two shops to torture: services of their own process on real servers, or the embedded shop in one process."""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.books import database_of
from lab.servers import Keeper, PrivateCluster, PrivatePostgres, PrivateRabbitMQ, free_ports
from lab.torture.lines import SERVERS, Lines
from lab.torture.plan import FAILURE_RATE, Plan, TortureTrouble
from lab.torture.processes import DRAIN_SECONDS, ShopProcess
from patterns.settings import configure, settings, urls_in
from patterns.shop import SERVICES
from patterns.transport import use


class TorturedShop(ABC):
    """A running shop of which every process can be killed; while it is open, our settings point to its servers.

    ``groups`` are its processes by what they serve; ``node`` is its RabbitMQ, if that is ours.  The folder of logs is
    kept unless ``keep_logs`` is taken back.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.keep_logs = plan, True
        self.groups: dict[str, list[ShopProcess]] = {}
        self.node: PrivateRabbitMQ | None = None
        self.cluster: PrivateCluster | None = None
        self.postgres: PrivatePostgres | None = None
        self.lines: Lines | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self.logs = Path(tempfile.mkdtemp(prefix="orderflow-torture-"))
            opening.callback(self._clear_logs)
            before = settings().model_dump()
            opening.callback(point_to, **before)
            self._keeper = Keeper("torture")
            opening.callback(self._keeper.close)
            self._start(opening)
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is KeyboardInterrupt:
            self.keep_logs = False
        self._open.close()

    @property
    def processes(self) -> list[ShopProcess]:
        """All processes."""
        return [process for group in self.groups.values() for process in group]

    def some_node(self) -> PrivateRabbitMQ:
        """A node of its RabbitMQ that runs.  Raises TortureTrouble unless it is ours."""
        if self.cluster is not None:
            return self.cluster.some_node
        if self.node is None:
            raise TortureTrouble("Only a RabbitMQ of the torture's own is broken: unset RABBITMQ_URL.")
        return self.node

    def urls(self, service: str) -> list[str]:
        """Where a service's instances answer."""
        return [process.services[service] for process in self.processes if service in process.services]

    @abstractmethod
    def close(self) -> list[str]:
        """Tell every process to end, and wait; answers what did not go as it should."""

    @abstractmethod
    def _start(self, opening: ExitStack) -> None:
        """Start servers and processes; what is to be undone goes to ``opening``."""

    def _start_processes(self) -> None:
        for process in self.processes:
            process.start()
        for process in self.processes:
            process.wait_until_ready()

    def _environment(self, **servers: str) -> dict[str, str]:
        rate = str(FAILURE_RATE)
        return {
            "PAYMENT_FAILURE_RATE": rate, "DELIVERY_FAILURE_RATE": rate, "VERDICT_SEED": str(self.plan.seed),
            "ORDER_DEADLINE_SECONDS": str(self.plan.deadline_seconds), "ORDERFLOW_HOST": "127.0.0.1",
            "DRAIN_SECONDS": str(DRAIN_SECONDS), **servers,
        }

    def _clear_logs(self) -> None:
        if not self.keep_logs:
            shutil.rmtree(self.logs, ignore_errors=True)


class SeparateShop(TorturedShop):
    """Several processes of each service, on the RabbitMQ and PostgreSQL that are configured, else on private ones."""

    def close(self) -> list[str]:
        """Tell every process to end, and wait; answers those that did not finish what they had in hand."""
        for process in self.processes:
            process.ask_to_end()
        endings = [(process, process.wait_until_ended()) for process in self.processes]
        return [f"{process.name} ended with {status} after SIGTERM. {process.last_words()}"
                for process, status in endings if status]

    def _start(self, opening: ExitStack) -> None:
        rabbitmq_url, database_url = settings().rabbitmq_url, settings().database_url
        if not rabbitmq_url:
            rabbitmq_url = self._start_rabbitmq(opening)
        if not database_url:
            postgres = opening.enter_context(PrivatePostgres(fsync=False))
            for service in SERVICES:
                postgres.create_database(f"torture_{service}")
            database_url = postgres.url("torture")
            self.postgres = postgres
        point_to(rabbitmq_url=rabbitmq_url, database_url=database_url)
        if self.plan.faults:
            if self.plan.heartbeat_seconds is not None:
                rabbitmq_url = ",".join(f"{url}?heartbeat={self.plan.heartbeat_seconds}" for url in urls_in(rabbitmq_url))
            self.lines = Lines(urls_in(rabbitmq_url), database_url)
            opening.callback(self.lines.close)
        ports = iter(free_ports(len(SERVICES) * self.plan.instances))
        for service in SERVICES:
            self.groups[service] = [
                self._process(service, number, next(ports), self._servers(service, rabbitmq_url, database_url))
                for number in range(1, self.plan.instances + 1)
            ]
        self._start_processes()

    def _start_rabbitmq(self, opening: ExitStack) -> str:
        """Servers are killed here at worst, so what they wrote need not survive a power cut."""
        if self.plan.cluster:
            self.cluster = opening.enter_context(PrivateCluster(fsync=False))
            self.cluster.some_node.create_vhost("torture")
            return self.cluster.url("torture")
        self.node = opening.enter_context(PrivateRabbitMQ(fsync=False))
        self.node.create_vhost("torture")
        return self.node.url("torture")

    def _process(self, service: str, number: int, port: int, servers: dict[str, str]) -> ShopProcess:
        environment = {**servers, f"{service.upper()}_PORT": str(port)}
        where = {service: f"http://127.0.0.1:{port}"}
        process = ShopProcess(self._keeper, f"{service}-{number}", ["serve", service], environment, where, self.logs)
        if self.plan.faults:
            process.be_mortal()
        return process

    def _servers(self, service: str, rabbitmq_url: str, database_url: str) -> dict[str, str]:
        if self.lines is not None:
            rabbitmq_url, database_url = (self.lines.url(service, server) for server in SERVERS)
        return self._environment(RABBITMQ_URL=rabbitmq_url, DATABASE_URL=database_url)


def point_to(**where: Any) -> None:
    """Let our own settings, databases and broker be those of the shop; nothing of the ones before stays open."""
    forget_connections()
    use(None)
    configure(**where)


def forget_connections() -> None:
    """Close our own connections to the shop's databases; the next use opens new ones."""
    for service in SERVICES:
        database_of(service).close()

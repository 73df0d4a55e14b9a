"""The two shops to torture: services of their own process on real servers, or the embedded shop in one process."""

from __future__ import annotations

import shutil
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.books import database_of
from lab.servers import Keeper, PrivatePostgres, PrivateRabbitMQ, free_ports
from lab.torture.plan import DEADLINE_SECONDS, FAILURE_RATE, Plan
from lab.torture.processes import ShopProcess
from patterns.settings import configure, settings
from patterns.shop import SERVICES
from patterns.transport import use


class TorturedShop:
    """A running shop of which every process can be killed; while it is open, our settings point to its servers.

    ``groups`` are its processes by what they serve; ``node`` is its RabbitMQ, if that is ours.  The folder of logs is
    kept unless ``keep_logs`` is taken back.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.keep_logs = plan, True
        self.groups: dict[str, list[ShopProcess]] = {}
        self.node: PrivateRabbitMQ | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self.logs = Path(tempfile.mkdtemp(prefix="orderflow-torture-"))
            opening.callback(self._clear_logs)
            before = settings().model_dump()
            opening.callback(_point_to, **before)
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

    def urls(self, service: str) -> list[str]:
        """Where a service's instances answer."""
        return [process.services[service] for process in self.processes if service in process.services]

    def close(self) -> list[str]:
        """Tell every process to end, and wait; answers what did not go as it should."""
        raise NotImplementedError

    def _start(self, opening: ExitStack) -> None:
        raise NotImplementedError

    def _start_processes(self) -> None:
        for process in self.processes:
            process.start()
        for process in self.processes:
            process.wait_until_ready()

    def _environment(self, **servers: str) -> dict[str, str]:
        rate = str(FAILURE_RATE)
        return {
            "PAYMENT_FAILURE_RATE": rate, "DELIVERY_FAILURE_RATE": rate, "VERDICT_SEED": str(self.plan.seed),
            "ORDER_DEADLINE_SECONDS": str(DEADLINE_SECONDS), "ORDERFLOW_HOST": "127.0.0.1", **servers,
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
            # Only services are killed here, so what the servers wrote need not survive a power cut.
            rabbitmq = opening.enter_context(PrivateRabbitMQ(fsync=False))
            rabbitmq.create_vhost("torture")
            rabbitmq_url = rabbitmq.url("torture")
            self.node = rabbitmq
        if not database_url:
            postgres = opening.enter_context(PrivatePostgres(fsync=False))
            for service in SERVICES:
                postgres.create_database(f"torture_{service}")
            database_url = postgres.url("torture")
        _point_to(rabbitmq_url=rabbitmq_url, database_url=database_url)
        servers = self._environment(RABBITMQ_URL=rabbitmq_url, DATABASE_URL=database_url)
        ports = iter(free_ports(len(SERVICES) * self.plan.instances))
        for service in SERVICES:
            self.groups[service] = [
                self._process(service, number, next(ports), servers) for number in range(1, self.plan.instances + 1)
            ]
        self._start_processes()

    def _process(self, service: str, number: int, port: int, servers: dict[str, str]) -> ShopProcess:
        environment = {**servers, f"{service.upper()}_PORT": str(port)}
        where = {service: f"http://127.0.0.1:{port}"}
        return ShopProcess(self._keeper, f"{service}-{number}", ["serve", service], environment, where, self.logs)


class EmbeddedShop(TorturedShop):
    """``orderflow run``: everything in one process, with its broker's journal and its SQLite files in a folder."""

    def close(self) -> list[str]:
        """Ctrl-C; answers what is wrong unless it ends well."""
        [process] = self.processes
        process.ask_to_end(signal.SIGINT)
        status = process.wait_until_ended()
        return [f"orderflow run ended with {status} after SIGINT. {process.last_words()}"] if status else []

    def _start(self, _: ExitStack) -> None:
        home = self.logs / "home"
        _point_to(rabbitmq_url="", database_url="", orderflow_home=home)
        ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        environment = self._environment(RABBITMQ_URL="", DATABASE_URL="", ORDERFLOW_HOME=str(home))
        environment |= {f"{service.upper()}_PORT": str(port) for service, port in ports.items()}
        where = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        self.groups["shop"] = [ShopProcess(self._keeper, "shop", ["run"], environment, where, self.logs)]
        self._start_processes()


def shop_for(plan: Plan) -> TorturedShop:
    """The shop that a plan speaks of."""
    return EmbeddedShop(plan) if plan.embedded else SeparateShop(plan)


def _point_to(**where: Any) -> None:
    """Let our own settings, databases and broker be those of the shop; nothing of the ones before stays open."""
    for service in SERVICES:
        database_of(service).close()
    use(None)
    configure(**where)

"""The embedded shop, to be killed as a whole; and the choice between it and services of their own process."""

from __future__ import annotations

import signal
from contextlib import ExitStack

from lab.servers import free_ports
from lab.torture.plan import Plan
from lab.torture.processes import ShopProcess
from lab.torture.shops import SeparateShop, TorturedShop, point_to
from patterns.shop import SERVICES


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
        point_to(rabbitmq_url="", database_url="", orderflow_home=home)
        ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        environment = self._environment(RABBITMQ_URL="", DATABASE_URL="", ORDERFLOW_HOME=str(home))
        environment |= {f"{service.upper()}_PORT": str(port) for service, port in ports.items()}
        where = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        self.groups["shop"] = [ShopProcess(self._keeper, "shop", ["run"], environment, where, self.logs)]
        self._start_processes()


def shop_for(plan: Plan) -> TorturedShop:
    """The shop that a plan speaks of."""
    return EmbeddedShop(plan) if plan.embedded else SeparateShop(plan)

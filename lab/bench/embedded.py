"""The embedded shop: how soon it takes its first order, how fast it settles a backlog, and what memory it needs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import lab
from lab.bench.load import Clients, bodies
from lab.bench.measures import ACCEPTING, Figures
from lab.bench.meter import memory, spent_by
from lab.bench.plan import BenchTrouble, Plan
from lab.bench.result import Results
from lab.bench.session import Tick, Watch
from lab.machine import circumstances
from lab.servers import Keeper, free_ports
from patterns.shop import SERVICES

MODE, TEAM = "topic", "embedded"
DESCRIPTION = "the embedded broker and SQLite"
RUN = [sys.executable, "-c", "from lab.cli import main; main()", "run"]
SHOP = [sys.executable, "-m", "lab.bench.embedded_shop"]
FIRST = json.dumps({"user_id": 1, "items": [{"product_id": 1, "quantity": 1}], "mode": MODE}).encode()
_OPEN = "SELECT count(*) FROM orders WHERE status = 'PROCESSING'"
_ENDED = "SELECT count(*), max(settled_at) FROM orders WHERE status = 'SUCCESS'"


def measure(plan: Plan, watch: Watch) -> Results:
    """Each round: a start to the first accepted order, then a backlog.  Raises BenchTrouble when a promise is broken."""
    results = Results(plan, DESCRIPTION, circumstances=circumstances(DESCRIPTION))
    for turn in range(plan.rounds):
        watch(Tick("start", TEAM, turn=turn + 1, turns=plan.rounds))
        results.note(TEAM, "start", TEAM, _start(plan))
        watch(Tick("drain", TEAM, turn=turn + 1, turns=plan.rounds))
        results.note(TEAM, "drain", TEAM, _drain(plan))
    return results


def answers(results: Results) -> list[tuple[str, ...]]:
    """What was wanted of it, and what it reached: medians of all rounds."""
    def row(what: str, wanted: str, kind: str, figure: str, good: float | None = None, sign: int = 1) -> tuple[str, ...]:
        value = results.median(TEAM, kind, TEAM, figure) or 0.0
        missed = " (missed)" if good is not None and sign * value < sign * good else ""
        return what, wanted, f"{value:.1f}{missed}"

    return [
        row("start to the first accepted order, s", "≤ 2", "start", "seconds", 2, -1),
        row("a backlog drained, orders per second", "≥ 500", "drain", "orders_per_second", 500),
        row("accepted meanwhile nobody worked, orders per second", "–", "drain", "accepted_per_second"),
        row("processor time of an order while draining, ms", "–", "drain", "cpu_ms"),
        row("memory of the whole shop, MiB", "≤ 250", "drain", "memory_mib", 250, -1),
    ]


def _start(plan: Plan) -> Figures:
    """From the start of ``orderflow run`` to the answer 202 to an order, in an empty folder."""
    began = time.monotonic()
    with _running(RUN) as (process, port, _):
        while not _accepted(port):
            _alive(process)
            if time.monotonic() - began > plan.limit_seconds:
                raise BenchTrouble("orderflow run accepts no order")
            threading.Event().wait(0.005)  # another process tells nobody here
        return {"seconds": time.monotonic() - began, "memory_mib": memory(process.pid, "VmHWM")}


def _drain(plan: Plan) -> Figures:
    """Orders are accepted while only the order service is open; then the others open, and all is settled."""
    with _running(SHOP) as (process, port, home):
        if process.stdout.readline() != "accepting\n":
            raise BenchTrouble("the embedded shop does not open")
        crowd = Clients([port], ACCEPTING)
        accepting = crowd.place(bodies(MODE, plan.orders))
        before, began = spent_by([process.pid]), time.time()
        _tell(process, "go")
        with closing(sqlite3.connect(f"file:{home / 'order.db'}?mode=ro", uri=True, timeout=30)) as orders:
            while orders.execute(_OPEN).fetchone()[0]:
                _alive(process)
                if time.time() - began > plan.limit_seconds:
                    raise BenchTrouble("the embedded shop does not settle its orders")
                threading.Event().wait(0.1)  # the same
            settled, last = orders.execute(_ENDED).fetchone()
        spent, most = spent_by([process.pid]) - before, memory(process.pid, "VmHWM")
        _tell(process, "audit")
        if complaint := process.stdout.readline().strip():
            raise BenchTrouble(f"embedded: the audit is not clean: {complaint}")
        _close(process)
        if settled != plan.orders:
            raise BenchTrouble(f"embedded: {settled} of {plan.orders} orders are a success")
    return {"orders_per_second": plan.orders / (last - began), "accepted_per_second": plan.orders / accepting,
            "cpu_ms": 1000 * spent / plan.orders, "memory_mib": most}


@contextmanager
def _running(command: Sequence[str]) -> Iterator[tuple[Any, int, Path]]:
    """A process with a folder and ports of its own; answers it, the order service's port, and the folder."""
    with tempfile.TemporaryDirectory(prefix="orderflow-bench-") as folder:
        home, ports = Path(folder) / "home", dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        environment = {
            **os.environ, "PYTHONPATH": str(Path(lab.__file__).parents[1]), "RABBITMQ_URL": "", "DATABASE_URL": "",
            "ORDERFLOW_HOME": str(home), "ORDER_DEADLINE_SECONDS": "86400", "MESSAGING_MODE": MODE,
            **{f"{service.upper()}_PORT": str(port) for service, port in ports.items()},
        }
        keeper = Keeper("bench")
        with closing(keeper), (Path(folder) / "log").open("wb") as log:
            process = keeper.start(list(command), env=environment, cwd=folder, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=log, text=True)
            yield process, ports["order"], home


def _accepted(port: int) -> bool:
    http = HTTPConnection("127.0.0.1", port, timeout=30)
    with closing(http), suppress(OSError):
        http.request("POST", "/orders", FIRST, {"Content-Type": "application/json"})
        return http.getresponse().status == 202
    return False


def _tell(process: Any, word: str) -> None:
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def _alive(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        raise BenchTrouble(f"the embedded shop ended with {process.returncode}")


def _close(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    if process.wait(120):
        raise BenchTrouble(f"the embedded shop ended with {process.returncode} after SIGINT")

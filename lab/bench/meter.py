"""What the machine spent: processor time by process tree, memory, and the servers' own counters."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql

from lab.bench.teams import Team
from lab.compare.places import Real
from lab.servers import PrivatePostgres, PrivateRabbitMQ

TICKS = os.sysconf("SC_CLK_TCK")

_STATEMENTS = """
SELECT coalesce(sum(calls), 0) FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
WHERE datname LIKE {prefix} AND query NOT IN ('COMMIT', 'BEGIN', 'ROLLBACK') AND query NOT LIKE '%/* bench */%'
"""

_WRITTEN = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
"""The next transaction id: only a transaction that writes takes one."""

_MESSAGES = (
    "C=maps:values(rabbit_global_counters:overview()),"
    "S=fun(K) -> lists:sum([maps:get(K,M,0) || M <- C]) end,"
    "{S(messages_received_total),S(messages_delivered_total)}."  # a list of small numbers would be printed as text
)


@dataclass(frozen=True)
class Spent:
    """What was spent so far; seconds of processor time by whom, and counts."""

    cpu: dict[str, float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)

    def since(self, before: Spent) -> Spent:
        """What was spent since then."""
        return Spent(
            {who: seconds - before.cpu[who] for who, seconds in self.cpu.items()},
            {what: number - before.counts[what] for what, number in self.counts.items()},
        )

    def per_order(self, orders: int) -> dict[str, float]:
        """Milliseconds of processor time, and counts, of one order."""
        each = {f"cpu_ms_{who}": 1000 * seconds / orders for who, seconds in self.cpu.items()}
        return each | {what: number / orders for what, number in self.counts.items()}


class Meter:
    """Reads what a team and its servers have spent; of servers that are not ours only what PostgreSQL tells.

    ``own`` are the process ids of our own backends, whose work is the measuring's.
    """

    def __init__(self, place: Real) -> None:
        self.rabbitmq = place.rabbitmq if isinstance(place.rabbitmq, PrivateRabbitMQ) else None
        self.server = place.databases.server
        self.postgres = self.server if isinstance(self.server, PrivatePostgres) else None
        try:
            self.server.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"))
            self.server.execute(sql.SQL("SELECT 1 FROM pg_stat_statements LIMIT 1"))
            self.statements = True
        except psycopg.Error:  # a server need not have it
            self.statements = False

    def read(self, team: Team, own: Collection[int] = ()) -> Spent:
        """What has been spent until now."""
        cpu = {"services": sum(spent_by([process.pid]) for process in team.processes), "load": time.process_time()}
        if self.rabbitmq is not None:
            cpu["broker"] = spent_by([self.rabbitmq.pid])
        if self.postgres is not None:
            cpu["database"] = spent_by([self.postgres.pid]) - spent_by(own)
        return Spent(cpu, self._counts(team))

    def _counts(self, team: Team) -> dict[str, float]:
        counts = {"transactions": float(self.server.execute(sql.SQL(_WRITTEN))[0][0])}
        if self.statements:
            prefix = sql.Literal(team.database_url.rpartition("/")[2].replace("{service}", "%"))
            counts["statements"] = float(self.server.execute(sql.SQL(_STATEMENTS).format(prefix=prefix))[0][0])
        if self.rabbitmq is not None:
            received, delivered = self.rabbitmq.eval(_MESSAGES).strip("{}").split(",")
            counts |= {"messages": float(received), "copies": float(delivered)}
        return counts


def spent_by(pids: Iterable[int]) -> float:
    """Seconds of processor time of these processes and all their children, ended ones included."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            ticks[int(folder.name)] = sum(map(int, fields[11:15]))
    todo, total = list(pids), 0
    while todo:
        pid = todo.pop()
        total += ticks.get(pid, 0)
        todo += children.get(pid, ())
    return total / TICKS


def memory(pid: int, what: Literal["VmRSS", "VmHWM"]) -> float:
    """The memory of a process in MiB: what it has (VmRSS), or the most it ever had (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    return 0.0

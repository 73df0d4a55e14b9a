"""Looking at how far the orders are, without being much of a burden: few statements, each marked as ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from lab.bench.plan import BenchTrouble
from lab.bench.rows import connect
from lab.bench.teams import Team
from lab.queues import queue_depths
from patterns.shop import SERVICES

LOOK_SECONDS = 0.2

_OPEN = b"SELECT /* bench */ count(*) FROM orders WHERE status = 'PROCESSING'"
_ALL = b"SELECT /* bench */ count(*) FROM orders"
_UNSENT = b"SELECT /* bench */ count(*) FROM outbox WHERE sent_at IS NULL"
_NOW = b"SELECT /* bench */ extract(epoch from clock_timestamp())::double precision"
_ENDS = b"SELECT /* bench */ settled_at FROM orders WHERE placed_at >= %s AND status = 'SUCCESS' ORDER BY settled_at"
_SETTLED = b"SELECT /* bench */ id, settled_at FROM orders WHERE id = ANY(%s) AND settled_at IS NOT NULL"


class Watcher:
    """Connections of our own to a team's databases."""

    def __init__(self, team: Team, limit_seconds: float) -> None:
        self.team, self._limit = team, limit_seconds
        self._open = ExitStack()
        self._databases = {
            service: self._open.enter_context(connect(team.database_url, service)) for service in SERVICES}
        self.pids = [database.info.backend_pid for database in self._databases.values()]
        self._pause = threading.Event()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def now(self) -> float:
        """The time by the order database's clock."""
        return float(self._ask("order", _NOW)[0][0])

    def lead(self) -> float:
        """How far the order database's clock is ahead of ours, in seconds."""
        before = time.time()
        return self.now() - (before + time.time()) / 2

    def open_orders(self) -> int:
        """How many orders are not settled."""
        return int(self._ask("order", _OPEN)[0][0])

    def all_orders(self) -> int:
        """How many orders there are."""
        return int(self._ask("order", _ALL)[0][0])

    def unsent(self, service: str) -> int:
        """How many messages of a service are not known to be sent."""
        return int(self._ask(service, _UNSENT)[0][0])

    def ends_since(self, moment: float) -> list[float]:
        """When the orders placed since then became a success, in time."""
        return [float(row[0]) for row in self._ask("order", _ENDS, (moment,))]

    def settled(self, orders: Collection[UUID]) -> dict[UUID, float]:
        """Those among these orders that are settled, and when."""
        return {row[0]: float(row[1]) for row in self._ask("order", _SETTLED, (list(orders),))}

    def wait_until_settled(self, told: Callable[[int], None]) -> None:
        """Wait until no order is open; ``told`` hears how many are."""
        self._wait("orders are still open", lambda: _told(told, self.open_orders()))

    def wait_until_sent(self, service: str) -> None:
        """Wait until all that a service has said is sent."""
        self._wait(f"messages of {service} are not sent", lambda: self.unsent(service))

    def wait_until_quiet(self) -> None:
        """Wait until nothing is under way: no open order, nothing unsent, nothing in a queue."""
        self._wait("orders are still open", self.open_orders)
        for service in SERVICES:
            self.wait_until_sent(service)
        self._wait("messages are still in queues", lambda: sum(queue_depths().values()))
        for service in SERVICES:  # what the last messages made others say
            self.wait_until_sent(service)

    def _wait(self, complaint: str, left: Callable[[], int]) -> None:
        until = time.monotonic() + self._limit
        while number := left():
            self.team.check()
            if time.monotonic() > until:
                raise BenchTrouble(f"{self.team.name}: {number} {complaint} after {self._limit:g} s.")
            self._pause.wait(LOOK_SECONDS)  # other processes tell nobody here

    def _ask(self, service: str, statement: bytes, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._databases[service].execute(statement, values).fetchall()


def _told(told: Callable[[int], None], number: int) -> int:
    told(number)
    return number

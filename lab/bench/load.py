"""Clients: how orders are placed, and how long each takes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle
from uuid import UUID

from lab.bench.plan import CUSTOMERS, PRODUCTS, BenchTrouble


@dataclass(frozen=True)
class Placed:
    """One order: when its client asked (seconds since 1970), after how many seconds it had an answer, and which."""

    order_id: UUID
    began: float
    answered_after: float
    final: bool


Then = Callable[[Placed], None]

KEPT_SECONDS = 2.0
"""A connection that was idle for longer is opened anew: servers close idle ones, uvicorn after 5 s."""


def bodies(mode: str, orders: int) -> list[bytes]:
    """The bodies of so many orders, spread over customers and products."""
    return [
        json.dumps({"user_id": 1 + number % CUSTOMERS, "mode": mode,
                    "items": [{"product_id": 1 + number * 7 % PRODUCTS, "quantity": 1}]}).encode()
        for number in range(orders)
    ]


class Clients:
    """So many clients at once, each a connection that is kept; ``then`` is called after each answer, and may wait.

    ``http.client`` is used since it costs least: what the load costs is taken from those who are measured.
    """

    def __init__(self, ports: Sequence[int], clients: int, then: Then = lambda _: None) -> None:
        self.ports, self.clients, self.then = ports, clients, then
        self.placed: list[Placed] = []
        self._trouble: list[BaseException] = []

    def place(self, orders: Sequence[bytes], gap_seconds: float = 0.0) -> float:
        """Place these orders; answers the seconds that took.

        With a gap, an order comes each so many seconds, and its time counts from then, whether a client was free or not.
        """
        began, numbered = time.time(), iter(enumerate(orders))
        due = {number: began + number * gap_seconds for number in range(len(orders))} if gap_seconds else {}
        taking = threading.Lock()

        def next_one() -> tuple[int, bytes] | None:
            with taking:
                return next(numbered, None) if not self._trouble else None

        threads = [threading.Thread(target=self._client, args=(port, next_one, due), daemon=True)
                   for port, _ in zip(cycle(self.ports), range(self.clients), strict=False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._trouble:
            raise BenchTrouble(f"A client could not go on: {self._trouble[0]!r}") from self._trouble[0]
        return time.time() - began

    def _client(self, port: int, next_one: Callable[[], tuple[int, bytes] | None], due: dict[int, float]) -> None:
        http, pause = HTTPConnection("127.0.0.1", port, timeout=600), threading.Event()
        used = 0.0
        try:
            for number, body in _until_none(next_one):
                pause.wait(max(0.0, due.get(number, 0.0) - time.time()))
                if time.monotonic() - used > KEPT_SECONDS:
                    http.close()
                placed = self._place(http, body, due.get(number) or time.time())
                used = time.monotonic()
                self.placed.append(placed)
                self.then(placed)
        except BaseException as error:
            self._trouble.append(error)
        finally:
            http.close()

    @staticmethod
    def _place(http: HTTPConnection, body: bytes, began: float) -> Placed:
        http.request("POST", "/orders", body, {"Content-Type": "application/json"})
        answer = http.getresponse()
        said = answer.read()
        if answer.status not in (201, 202):
            raise BenchTrouble(f"An order was answered {answer.status}: {said[:300]!r}")
        order = json.loads(said)
        return Placed(UUID(order["id"]), began, time.time() - began, order["status"] != "PROCESSING")


def _until_none(take: Callable[[], tuple[int, bytes] | None]) -> Iterator[tuple[int, bytes]]:
    while (one := take()) is not None:
        yield one

"""Clients of the compose shop: each asks with the same key until it has an answer, then looks until its order is settled."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from lab import clients
from lab.compose.containers import ComposeTrouble
from patterns.settings import MODES, settings
from patterns.shop import SERVICES

PATIENCE_SECONDS = 240.0
PRICE_CENTS = 100


def wait_until(what: Callable[[], Any], doing: str) -> Any:
    """Wait for something to be so, and answer it.  Raises ComposeTrouble when it takes too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := what()):
        if time.monotonic() > until:
            raise ComposeTrouble(f"Waited {PATIENCE_SECONDS:g} s in vain: {doing}")
        time.sleep(0.2)  # containers tell nobody here
    return found


def url(service: str, path: str) -> str:
    """Where a service answers on this machine."""
    return f"http://127.0.0.1:{settings().port(service)}{path}"


def ready() -> bool:
    """Whether every part of every service works."""
    try:
        return all(clients.get(url(service, "/readyz"), timeout=5).status_code == 200 for service in SERVICES)
    except httpx.TransportError:
        return False


class Load:
    """So many orders of one customer, in all modes by turns (or in the shop's own), by a few clients at once."""

    def __init__(self, orders: int, clients: int = 6, modes: Sequence[str] = MODES) -> None:
        self.orders, self.modes = orders, modes
        self.user = _created("user", "/users", name="Ada", balance_cents=orders * PRICE_CENTS)
        self.product = _created("product", "/products", name="Chair", price_cents=PRICE_CENTS, quantity=orders)
        self.answered: dict[int, dict[str, Any]] = {}
        self.attempts: Counter[str] = Counter()
        self.told: dict[str, set[str]] = {}
        self._run = uuid4().hex
        self._over = threading.Event()
        self._clients = ThreadPoolExecutor(clients, "client")
        self._working = [self._clients.submit(self._place, number) for number in range(orders)]

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._clients.shutdown(cancel_futures=True)

    def answers(self, at_least: int) -> None:
        """Wait until so many clients have their answer."""
        wait_until(lambda: len(self.answered) >= at_least, f"{at_least} of {self.orders} orders are accepted")

    def settled(self) -> Counter[str]:
        """Wait until every order is settled; answers how, and why.  Raises ComposeTrouble if an ending changed."""
        self.answers(self.orders)
        for working in self._working:
            working.result()
        for answer in self.answered.values():
            order_id = str(answer["id"])
            wait_until(partial(self._is_settled, order_id), f"order {order_id} is settled")
        if changed := {order: endings for order, endings in self.told.items() if len(endings) != 1}:
            raise ComposeTrouble(f"Endings that changed: {changed}")
        return Counter(ending for endings in self.told.values() for ending in endings)

    def _place(self, number: int) -> None:
        body: dict[str, Any] = {"user_id": self.user, "product_id": self.product, "quantity": 1}
        body |= {"mode": self.modes[number % len(self.modes)]} if self.modes else {}
        while not self._over.is_set():
            answer = self._ask("POST", "/orders", json=body, headers={"Idempotency-Key": f"{self._run}-{number}"})
            if answer is not None:
                self._tell(answer)
                self.answered[number] = answer
                return
            self._over.wait(0.2)

    def _is_settled(self, order_id: str) -> bool:
        answer = self._ask("GET", f"/orders/{order_id}")
        return answer is not None and self._tell(answer) != "PROCESSING"

    def _tell(self, answer: dict[str, Any]) -> str:
        status = str(answer["status"])
        if status != "PROCESSING":
            self.told.setdefault(answer["id"], set()).add(f"{status}: {answer['reason']}" if answer["reason"] else status)
        return status

    def _ask(self, method: str, path: str, **what: Any) -> dict[str, Any] | None:
        """What the order service answers; None when it is away (refused, broken off, 503)."""
        try:
            answer = clients.request(method, url("order", path), timeout=30, **what)
        except httpx.TransportError as error:
            self.attempts[type(error).__name__] += 1
            return None
        self.attempts[str(answer.status_code)] += 1
        if answer.status_code == 503:
            return None
        if answer.status_code >= 300:
            raise ComposeTrouble(f"{method} {path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found


def _created(service: str, path: str, **body: Any) -> int:
    answer = clients.post(url(service, path), json=body, timeout=30)
    answer.raise_for_status()
    return int(answer.json()["id"])

"""Trade that goes on while something breaks: orders before it, during it and after it, then every promise is checked."""

from __future__ import annotations

import threading
from typing import Any

from lab import clients
from lab.local import LocalShop
from lab.torture.load import Load
from lab.torture.plan import Plan
from lab.torture.truth import check_truth, what_is_so
from lab.torture.wishes import stock_up, wishes
from patterns.shop import SERVICES
from tests.flows.words import Words, until

MODES = ("rpc", "default", "topic", "saga")

class Trade:
    """Clients of a shop, in several modes at once; each keeps asking until it has an answer."""

    def __init__(self, shop: LocalShop, orders: int = 24, modes: tuple[str, ...] = MODES) -> None:
        self.shop = shop
        plan = Plan(modes=modes, orders=orders, clients=4, kills=0)
        users, products, self._orders = (str(shop.http(name).base_url) for name in ("user", "product", "order"))
        self._loads = [
            Load(plan, mode, wishes(plan, mode, stock_up(plan, mode, users, products)), [self._orders]) for mode in modes
        ]
        self._left = orders
        for load in self._loads:
            load.start()

    def go_on(self, orders: int) -> None:
        """Let so many more orders begin in each mode, and come back when the first of them is accepted."""
        accepted = [len(load.history.accepted) for load in self._loads]
        for load in self._loads:
            load.permits.release(orders)
        self._left -= orders
        until(lambda: any(len(load.history.accepted) > before for load, before in zip(self._loads, accepted, strict=True)),
              "an order is accepted")

    def ends_well(self) -> None:
        """Let the rest begin, wait until all is quiet, and see that nothing is lost, doubled or untrue."""
        for load in self._loads:
            load.permits.release(self._left + load.plan.clients)
            load.join()
        Words(self.shop, "topic").quiet()
        for load in self._loads:
            truths = check_truth(what_is_so(load.mode, load.wanted, load.history, [self._orders]))
            assert not [(truth.text, truth.broken) for truth in truths if truth.broken]


def look(shop: LocalShop, service: str) -> dict[str, Any]:
    """What a service says on ``/readyz``; its status code agrees."""
    answer = shop.http(service).get("/readyz")
    told = dict(answer.json())
    assert (answer.status_code == 503) is (told["status"] == "not ready") is bool(told["troubles"])
    return told


def ready(shop: LocalShop) -> bool:
    """Whether every service is, with a consumer at each of its queues."""
    told = [look(shop, service) for service in SERVICES]
    return all(one["status"] != "not ready" and all(one["queues"].values()) and one["queues"] for one in told)


class Watch:
    """Looks at every service's ``/readyz`` all the time, and remembers who was ever not ready, and why."""

    def __init__(self, shop: LocalShop) -> None:
        self.red: dict[str, dict[str, str]] = {}
        self._urls = {service: f"{shop.http(service).base_url}/readyz" for service in SERVICES}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def saw_all_red(self) -> bool:
        """Whether every service was not ready at some time."""
        return self.red.keys() == set(SERVICES)

    def _run(self) -> None:
        with clients.client(timeout=30) as http:
            while not self._over.wait(0.01):
                for service, url in self._urls.items():
                    answer = http.get(url)
                    if answer.status_code == 503:
                        self.red.setdefault(service, {}).update(answer.json()["troubles"])

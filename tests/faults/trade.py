"""Trade that goes on while something breaks: orders before it, during it and after it, then every promise is checked."""

from __future__ import annotations

from typing import Any

from lab.local import LocalShop
from lab.torture.load import stocked
from lab.torture.plan import Plan
from lab.torture.readiness import Readiness
from lab.torture.truth import check_truth, what_is_so
from patterns.shop import SERVICES
from tests.flows.words import Words, until

MODES = ("rpc", "default", "topic", "saga")


class Trade:
    """Clients of a shop, in several modes at once; each keeps asking until it has an answer."""

    def __init__(self, shop: LocalShop, orders: int = 24, modes: tuple[str, ...] = MODES) -> None:
        self.shop = shop
        plan = Plan(modes=modes, orders=orders, clients=4 * len(modes), kills=0, together=True)
        users, products, order = (str(shop.http(name).base_url) for name in ("user", "product", "order"))
        self._load = stocked(plan, modes, users, products, [order])
        self._load.start()

    def go_on(self, orders: int) -> None:
        """Let so many more orders begin in each mode, and come back when the first of them is accepted."""
        accepted = len(self._load.history.accepted)
        self._load.supply.permit(orders * len(self._load.modes))
        until(lambda: len(self._load.history.accepted) > accepted, "an order is accepted")

    def ends_well(self) -> None:
        """Let the rest begin, wait until all is quiet, and see that nothing is lost, doubled or untrue."""
        load = self._load
        load.supply.permit_up_to(load.plan.orders_in_round)
        load.supply.last_call()
        load.join()
        Words(self.shop, "topic").quiet()
        truths = check_truth(what_is_so(load))
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


def watch(shop: LocalShop) -> Readiness:
    """Looks at every service's ``/readyz`` all the time, and remembers who was ever not ready, and why."""
    return Readiness({service: str(shop.http(service).base_url).rstrip("/") for service in SERVICES})

"""What always holds, looked at after every commit: fast, in plain SQL, and apart from the code that it judges.

The same promises as :mod:`lab.promises`, which reads whole books; here only what the commit may have touched is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.simulation.store import Store

STEPS = {"product": "reservations", "user": "holds", "payment": "payments", "delivery": "deliveries"}
DONE = {"product": ("RESERVED", "SOLD"), "user": ("HELD", "SPENT"), "payment": ("TAKEN",), "delivery": ("SCHEDULED",)}

MONEY = """
    SELECT u.id FROM users u WHERE balance_cents + held_cents + spent_cents <> paid_in_cents
    OR min(balance_cents, held_cents, spent_cents) < 0
    OR paid_in_cents <> (SELECT coalesce(sum(amount_cents), 0) FROM deposits d WHERE d.user_id = u.id)
    OR held_cents <> (SELECT coalesce(sum(amount_cents), 0) FROM holds h WHERE h.user_id = u.id AND state = 'HELD')
    OR spent_cents <> (SELECT coalesce(sum(amount_cents), 0) FROM holds h WHERE h.user_id = u.id AND state = 'SPENT')
"""

GOODS = """
    SELECT p.id FROM products p WHERE shelf + reserved + sold <> put_in OR min(shelf, reserved, sold) < 0
    OR reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservation_lines l JOIN reservations r USING (order_id)
                    WHERE l.product_id = p.id AND r.state = 'RESERVED')
    OR sold <> (SELECT coalesce(sum(quantity), 0) FROM reservation_lines l JOIN reservations r USING (order_id)
                WHERE l.product_id = p.id AND r.state = 'SOLD')
"""


class Broken(AssertionError):
    """A promise that always holds did not."""


class Watch:
    """Remembers each order's steps, and looks at what a commit changed."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self.stores = stores
        self.steps: dict[str, dict[str, str]] = {service: {} for service in STEPS}
        self.status: dict[str, str] = {}
        self.looks = 0
        self._local: dict[str, Callable[[], list[str]]] = {
            "user": lambda: [f"the money of customer {row[0]} does not add up" for row in stores["user"].rows(MONEY)],
            "product": lambda: [f"the goods of product {row[0]} do not add up" for row in stores["product"].rows(GOODS)],
        }

    def look(self, service: str) -> None:
        """Raise Broken when something that always holds does not."""
        self.looks += 1
        found = self._local[service]() if service in self._local else []
        if service == "order":
            found += self._look_at_orders()
        elif service in STEPS:
            self.steps[service] = dict(self.stores[service].rows(f"SELECT order_id, state FROM {STEPS[service]}"))  # noqa: S608
        if service in STEPS or service == "order":
            found += self._across()
        if found:
            raise Broken("; ".join(found))

    def _look_at_orders(self) -> list[str]:
        now = dict(self.stores["order"].rows("SELECT id, status FROM orders"))
        changed = [
            f"order {order} was {before} and is {now.get(order, 'gone')}"
            for order, before in self.status.items() if before != "PROCESSING" and now.get(order) != before
        ]
        self.status = now
        return changed

    def _across(self) -> list[str]:
        found: list[str] = []
        for order in set().union(*self.steps.values()):
            step = {service: self.steps[service].get(order, "-") for service in STEPS}
            done = {service: step[service] in DONE[service] for service in STEPS}
            status = self.status.get(order)
            told = f"order {order} is {status} with {step}"
            if (
                (status is None and any(state != "-" for state in step.values()))
                or (done["payment"] and not done["user"]) or (done["delivery"] and not done["product"])
                or (status == "SUCCESS" and not all(done.values()))
                or (status != "SUCCESS" and (step["product"] == "SOLD" or step["user"] == "SPENT"))
            ):
                found.append(told)
        return found

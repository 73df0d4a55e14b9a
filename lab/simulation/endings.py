"""Every way one order can end, each as a small day that ends so unless something breaks.

What befalls an order on its way to success befalls other code than what befalls one that is being undone, so that each
ending has placements of its own (:mod:`lab.simulation.placements`).
"""

from __future__ import annotations

from lab.simulation.case import Case
from lab.simulation.workload import Chore, Wish, Workload
from patterns.shop import SERVICES

RICH, STOCKED = (10_000,), ((1_000, 5),)

AT = 0.5
"""When the order is placed, in seconds: by then every service has started."""

DECLINED, REFUSED = 6, 10
"""Seeds with which the payment gateway, and the carrier, refuse this very order."""

ENDINGS = (
    "success", "sold out", "not enough money", "payment declined", "no carrier", "cancelled", "cancelled first", "overdue",
)


def one_order(mode: str, ending: str = "success") -> Case:
    """One order that ends so unless something breaks, nobody interrupted: every place is the same in every run."""
    wish = Wish(mode=mode, at=AT)
    days = {
        "success": (0, Workload(RICH, STOCKED, (Wish(mode=mode),))),
        "sold out": (0, Workload(RICH, ((1_000, 0),), (wish,))),
        "not enough money": (0, Workload((999,), STOCKED, (wish,))),
        "payment declined": (DECLINED, Workload(RICH, STOCKED, (wish,))),
        "no carrier": (REFUSED, Workload(RICH, STOCKED, (wish,))),
        "cancelled": (0, _while_away("delivery", 8, Wish(mode=mode, at=AT, cancel_after=0.5))),
        "cancelled first": (0, _while_away("product", 8, Wish(mode=mode, at=AT, cancel_after=0.5))),
        "overdue": (0, _while_away("delivery", 40, wish)),
    }
    seed, workload = days[ending]
    return Case(workload, seed, switching=0.0)


def _while_away(service: str, seconds: int, wish: Wish) -> Workload:
    """A service stands still while the order is under way, and goes on later with what has waited for it."""
    return Workload(RICH, STOCKED, (wish,), (Chore("away", SERVICES.index(service), seconds, AT - 0.1),))

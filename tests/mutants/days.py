"""What customers do while mutants are hunted."""

from __future__ import annotations

from collections.abc import Callable

from lab.simulation.workload import Chore, Wish, Workload
from patterns.shop import SERVICES


def a_busy_day(mode: str) -> Workload:
    """Enough money and too little, goods for some only, requests sent twice, changes of mind, staff at work."""
    return Workload(
        money=(10_000, 1_500), goods=((1_000, 4), (300, 1)),
        wishes=(
            Wish(mode=mode, items=((1, 2),)), Wish(mode=mode, user=2, items=((1, 1), (2, 1)), at=0.05),
            Wish(mode=mode, user=2, items=((2, 1),), asks=2), Wish(mode=mode, cancel_after=0.05),
            Wish(mode=mode, items=((1, 1),), at=0.3, cancel_after=0.4),
        ),
        chores=(Chore("deposit", 2, 700, 1.0), Chore("restock", 2, 1, 2.0), Chore("price", 1, 900, 0.3)),
    )


def the_carrier_is_away(mode: str) -> Workload:
    """Nobody schedules a parcel for some minutes, so that deadlines come."""
    return Workload(money=(10_000,), goods=((1_000, 5),), wishes=(Wish(mode=mode, at=0.5), Wish(mode=mode, at=2.0)),
                    chores=(Chore("away", SERVICES.index("delivery"), 160, 0.4),))


def everybody_is_poor(mode: str) -> Workload:
    """Money for one order of two, wanted at once."""
    return Workload(money=(1_500,), goods=((1_000, 5),), wishes=(Wish(mode=mode), Wish(mode=mode)))


SMALL_DAYS: tuple[Callable[[str], Workload], ...] = (
    lambda mode: Workload(wishes=(Wish(mode=mode),)),
    lambda mode: Workload(wishes=(Wish(mode=mode, cancel_after=0.05),)),
    lambda mode: Workload(money=(500,), wishes=(Wish(mode=mode),)),
)
"""One order that may succeed, one that is cancelled, one nobody can pay."""

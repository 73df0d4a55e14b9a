"""How a load goes: what became of its orders so far, as the order service's database has it now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import func, select

from lab.books import database_of
from lab.torture.load import Load
from patterns.database import Session
from patterns.errors import DatabaseUnavailable

ENOUGH = 0.3
"""The share of orders that is to have succeeded before something else is broken; about half would, were nothing broken."""


class HowItGoes:
    """Asked from several threads, now and then; while nobody can tell it says: as if there were no orders."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def settled(self) -> int:
        """How many orders have their ending."""
        return sum(number for (_, status), number in self._endings().items() if status != "PROCESSING")

    def open_orders(self) -> int:
        """How many have not."""
        return sum(number for (_, status), number in self._endings().items() if status == "PROCESSING")

    def well(self) -> bool:
        """Whether a good part of each mode's orders so far has succeeded."""
        begun, endings = Counter(wish.mode for wish in list(self._load.wanted)), self._endings()
        return all(endings[mode, "SUCCESS"] >= ENOUGH * begun[mode] for mode in self._load.modes)

    def _endings(self) -> Counter[tuple[str, str]]:
        customers = {wish.user_id for wish in list(self._load.wanted)}
        with suppress(DatabaseUnavailable):  # taken away, for now
            return database_of("order").read(_statuses, customers, self._load.modes)
        return Counter()


def _statuses(session: Session, customers: set[int], modes: Sequence[str]) -> Counter[tuple[str, str]]:
    from order.models import orders

    theirs = orders.c.user_id.in_(customers), orders.c.mode.in_(modes)
    counted = select(orders.c.mode, orders.c.status, func.count()).where(*theirs).group_by(orders.c.mode, orders.c.status)
    return Counter({(mode, status): number for mode, status, number in session.execute(counted)})

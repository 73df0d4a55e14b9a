"""What is measured: which modes, how many orders, how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from patterns.errors import OrderflowError
from patterns.settings import MODES

Kind = Literal["drain", "closed", "accept"]
KINDS: tuple[Kind, ...] = ("drain", "closed", "accept")

CUSTOMERS, PRODUCTS = 100, 20
"""Among whom the orders are spread: their rows are what orders meet at."""


class BenchTrouble(OrderflowError):
    """The benchmark itself could not go on, or what it measured did not keep its promises."""


@dataclass(frozen=True)
class Plan:
    """One run of the benchmark."""

    modes: tuple[str, ...] = MODES
    orders: int = 600
    """Orders of each drain; a closed loop has a third of them.  With these, three rounds of everything take about twelve
    minutes on two cores."""
    clients: tuple[int, ...] = (1, 4, 16, 64)
    rounds: int = 3
    kinds: tuple[Kind, ...] = KINDS
    scale: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Instances of a service, where it has more than one; of ours and of the bare program alike."""
    half_load: bool = True
    """Whether closed loops are followed by orders that come at half the rate of the busiest one."""
    rows: int = 0
    """Settled orders in the tables before anything is measured."""
    warm_up: int = 50
    idle_seconds: float = 10.0
    limit_seconds: float = 1800.0
    """How long one measurement may take at most."""

    def looped(self, clients: int = 64) -> int:
        """Orders of a closed loop with so many clients; one client alone takes its time."""
        return max(self.orders // (3 if clients > 1 else 12), 10)

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
    orders: int = 3000
    """Orders of each drain; a closed loop has a third of them."""
    clients: tuple[int, ...] = (1, 4, 16, 64)
    rounds: int = 3
    kinds: tuple[Kind, ...] = KINDS
    scale: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Instances of a service, where it has more than one; of ours and of the bare program alike."""
    rows: int = 0
    """Settled orders in the tables before anything is measured."""
    warm_up: int = 50
    idle_seconds: float = 10.0
    limit_seconds: float = 1800.0
    """How long one measurement may take at most."""

    def instances(self, service: str) -> int:
        """How many processes a service has."""
        return self.scale.get(service, 1)

    @property
    def looped(self) -> int:
        """Orders of each closed loop."""
        return max(self.orders // 3, 10)

"""What is compared: which orders, how many, and what goes wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from patterns.errors import OrderflowError
from patterns.settings import MODES

CANCELLABLE_WITHOUT = ("product", "user", "payment", "delivery")
"""While one of these is away no order can become a success, so whoever cancels is sure to be in time."""

DEADLINE_SECONDS = 3600.0
"""No order may end by its deadline: how many do depends on how fast the machine is, not on the mode."""


class CompareTrouble(OrderflowError):
    """The comparison itself could not go on: this says nothing about the modes."""


@dataclass(frozen=True)
class Plan:
    """One comparison.  The same seed gives the same customers, goods and orders, and the same orders fail."""

    modes: tuple[str, ...] = MODES
    orders: int = 100
    clients: int = 4
    """Clients at once, each with one order after another.  While a service is away, orders come as they come."""
    fail: float = 0.1
    """The share of orders that the payment gateway declines; as many are refused by the carrier."""
    seed: int = 1
    down: str = "payment"
    outage_seconds: float = 10.0
    """How long a service is away at least; 0: none ever is."""
    real: bool = False
    limit_seconds: float = 600.0
    """How long one run may take at most."""
    quiet_seconds: float = 120.0
    """How long the shop may take at most to come to rest after the last answer."""

    @property
    def cancels(self) -> bool:
        """Whether some customers cancel during the outage."""
        return self.down in CANCELLABLE_WITHOUT

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of every shop that is compared."""
        return {
            "payment_failure_rate": self.fail, "delivery_failure_rate": self.fail,
            "verdict_seed": f"compare {self.seed}", "order_deadline_seconds": DEADLINE_SECONDS,
        }

    def chance(self) -> random.Random:
        """The dice, the same in every run with this seed."""
        return random.Random(f"compare {self.seed}")  # noqa: S311 (not a secret: a run can be repeated)

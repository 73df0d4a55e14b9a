"""What is to be done to the shop: how much, how long, and by which chance."""

from __future__ import annotations

import random
from dataclasses import dataclass

from patterns.errors import OrderflowError
from patterns.settings import MODES

FAILURE_RATE = 0.1
"""The share of payments declined, and of deliveries refused."""

DEADLINE_SECONDS = 60
"""How old an order may become: older than usual, so that on a slow machine not most of them end by their deadline."""


class TortureTrouble(OrderflowError):
    """The torture itself could not go on: this says nothing about the shop's promises."""


@dataclass(frozen=True)
class Plan:
    """One run.  The same seed gives the same orders, victims and pauses; the machine still decides who wins a race."""

    modes: tuple[str, ...] = MODES
    orders: int = 2000
    """Orders in each mode; some more while something is broken and all of these have begun."""
    clients: int = 16
    instances: int = 2
    kills: int = 12
    """Kills in each round; the first six meet each service once."""
    restarts: int = 0
    """How often RabbitMQ is stopped or killed, and started again, in each mode."""
    at_once: int = 1
    """How many services are met by each kill."""
    faults: tuple[str, ...] = ()
    """Other things to do to the shop (:mod:`lab.torture.kinds`), in this order."""
    lose_queues: bool = False
    """At the end a queue of each mode is deleted: its consumers must notice, and orders go through again."""
    cluster: bool = False
    """On three nodes instead of one."""
    deadline_seconds: int = DEADLINE_SECONDS
    heartbeat_seconds: int | None = None
    """How soon a silent connection is given up; the code's own patience unless given."""
    seed: int = 1
    embedded: bool = False
    load_seconds: float = 600
    """How long the load of one round may take at most, less what the outages take."""
    outage_seconds: float = 300
    """How long one outage of RabbitMQ may take at most: to stop, to start and to be back, on a busy machine."""
    patience_seconds: float = 240
    """How long a client asks for one thing, answered by nothing or 5xx, until it calls that a broken promise."""
    together: bool = False
    """All modes at once, in one load, instead of one after another: whatever is done meets all of them."""
    quiet_seconds: float = 120
    """How long the shop may take at most to come to rest afterwards."""
    stuck_seconds: float | None = None
    """After so long with nothing in a queue or an outbox, and nothing changed, nobody waits any more for what is open."""

    @property
    def rounds(self) -> list[tuple[str, ...]]:
        """The modes that have their turn at the same time."""
        return [self.modes] if self.together else [(mode,) for mode in self.modes]

    @property
    def orders_in_round(self) -> int:
        """How many orders a round has at least."""
        return self.orders * len(self.rounds[0])

    @property
    def strikes(self) -> int:
        """How often something is done to the shop in each round."""
        return self.kills + self.restarts + len(self.faults)

    @property
    def limit_seconds(self) -> float:
        """How long one round may take at most, until it comes to rest."""
        return self.load_seconds + self.restarts * self.outage_seconds

    def chance(self, *what: object) -> random.Random:
        """The dice for one purpose, the same in every run with this seed."""
        return random.Random(":".join(map(str, (self.seed, *what))))  # noqa: S311 (not a secret: a run can be repeated)

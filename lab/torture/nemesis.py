"""The nemesis: kills one process after another with ``kill -9``, or takes RabbitMQ away, and brings it back.

::

    orders   |────────── 1st part ──────────|────────── 2nd part ──────────|── …
    strikes               1st ──back──>                  2nd ──back──>

A strike comes in the middle of its part of the orders, and clients may not be further than one part ahead: otherwise
a quick shop would have taken all orders before the first victim is back.  While it lasts orders do not cease, so that
what is broken is always broken for somebody.  Before it, a good part of the orders so far must have succeeded, or there
was time for it: of a shop in which every order ends by its deadline, an audit says little.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from lab.torture.faults import Faults
from lab.torture.going import HowItGoes
from lab.torture.load import Load
from lab.torture.outages import Broker, Outage
from lab.torture.plan import Plan, TortureTrouble
from lab.torture.processes import ShopProcess
from lab.torture.shops import TorturedShop

BOTH_SHARE = 0.2
"""How often all instances of a service die at once."""
POLL_SECONDS = 0.02
BREATH_SECONDS = 15.0
"""How long a strike waits at most for orders to succeed."""


class Nemesis:
    """As many strikes as the plan says, against one mode's load.

    In its first round each service is met once; then chance decides.  A victim is back, and ready, before the next dies.
    """

    def __init__(
        self, plan: Plan, shop: TorturedShop, load: Load, how_it_goes: HowItGoes, broker: Broker | None = None
    ) -> None:
        self.plan, self.groups, self.load, self.how_it_goes, self.broker = plan, shop.groups, load, how_it_goes, broker
        self.killed: Counter[str] = Counter()
        self.outages: list[Outage] = []
        self.struck = 0
        """How many strikes are over."""
        self.trouble: Exception | None = None
        self._chance = plan.chance(load.name, "nemesis")
        self._number = plan.strikes
        self._stopping = threading.Event()
        self.faults = Faults(plan, load.modes, shop, plan.chance(load.name, "ways"), self._stopping)
        self._thread = threading.Thread(target=self._run, name="nemesis", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has strikes left."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Strike no more; whoever is dead is started again first."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until its victims are started again.  Raises what kept the nemesis from its work."""
        self._thread.join()
        if self.trouble is not None:
            raise self.trouble

    def _run(self) -> None:
        supply, orders = self.load.supply, self.plan.orders_in_round
        part = orders / max(1, self._number)
        try:
            supply.permit_up_to(math.ceil(part))
            for number, strike in enumerate(self._strikes(), start=1):
                if not self._wait_for((number - 0.5) * part):
                    return
                with self.load.flowing(self.how_it_goes.open_orders):
                    self._breathe()
                    supply.permit_up_to(math.ceil((number + 1) * part))
                    strike()
                self.struck = number
        except Exception as error:  # said by join(), in the main thread
            self.trouble = error
        finally:
            supply.permit_up_to(orders)

    def _breathe(self) -> None:
        until = time.monotonic() + BREATH_SECONDS
        while time.monotonic() < until and not self.how_it_goes.well():
            if self._stopping.wait(10 * POLL_SECONDS):
                return

    def _strikes(self) -> Iterator[Callable[[], None]]:
        victims = self._victims()
        faults = self.plan.faults
        others = self._chance.sample(range(self._number), self.plan.restarts + len(faults))
        restarts, met = {*others[: self.plan.restarts]}, dict(zip(others[self.plan.restarts :], faults, strict=True))
        for number in range(self._number):
            if number in restarts:
                yield self._take_broker_away
            elif number in met:
                yield partial(self.faults.strike, met[number])
            else:
                yield partial(self._strike, next(victims))

    def _take_broker_away(self) -> None:
        if self.broker is None:
            raise TortureTrouble("There is no RabbitMQ of ours to take away.")
        crash = (len(self.outages) + self.plan.modes.index(self.load.modes[0]) + self.plan.seed) % 2 == 1
        self.outages.append(self.broker.take_away(crash=crash, given_up=self._stopping))

    def _victims(self) -> Iterator[list[ShopProcess]]:
        names: list[str] = []
        for _ in range(self.plan.kills):
            victims: list[ShopProcess] = []
            for _ in range(self.plan.at_once):
                names = names or self._chance.sample(sorted(self.groups), len(self.groups))
                group = self.groups[names.pop()]
                victims += group if self._chance.random() < BOTH_SHARE else [self._chance.choice(group)]
            yield list(dict.fromkeys(victims))

    def _wait_for(self, answered: float) -> bool:
        while self.load.history.ended < answered:
            if self._stopping.wait(POLL_SECONDS):
                return False
        return not self._stopping.is_set()

    def _strike(self, victims: list[ShopProcess]) -> None:
        for victim in victims:
            victim.kill()
            self.killed[victim.name] += 1
        self._stopping.wait(self._chance.uniform(0, 1.0))
        for victim in victims:
            victim.start()
        for victim in victims:
            victim.wait_until_ready(self._stopping)

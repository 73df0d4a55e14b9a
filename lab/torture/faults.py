"""What else is done to a shop under load: each fault breaks something, holds, heals it, and waits until all are well.

::

    break ──> hold ──> heal ──> /readyz of every process 200 again, or that is a broken promise
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from lab import clients
from lab.faults.dying import PLACES, STATUS, tell_to_die, withdraw
from lab.servers import PrivatePostgres
from lab.torture.plan import Plan, TortureTrouble
from lab.torture.processes import ShopProcess, is_ready
from lab.torture.shops import TorturedShop

PATIENCE_SECONDS = 120.0
"""How long everybody may take to be well again on a busy machine."""

HAPPEN_SECONDS = 60.0
"""How long a fault that needs somebody to come by waits for that; orders do not cease meanwhile."""


class Faults:
    """Does them.  ``happened`` counts what was done, ``unwell`` says who was not well again afterwards, or ended badly."""

    def __init__(
        self, plan: Plan, modes: Sequence[str], shop: TorturedShop, chance: random.Random, given_up: threading.Event
    ) -> None:
        self.plan, self.modes, self.shop, self.chance, self.given_up = plan, tuple(modes), shop, chance, given_up
        self.happened: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.unwell: list[str] = []

    def strike(self, kind: str) -> None:
        """Do one of :data:`WAYS`, and wait until everybody is well again."""
        WAYS[kind](self)
        self.wait_until_all_are_ready(kind)

    def hold(self, least: float = 0.5, most: float = 2.0) -> None:
        """Let it be broken for a while."""
        self.given_up.wait(self.chance.uniform(least, most))

    def wait_until(self, what: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
        """Whether it comes to be so in this time; asked again and again, for nobody tells."""
        until = time.monotonic() + seconds
        while not what():
            if time.monotonic() > until or self.given_up.wait(0.1):
                return False
        return True

    def wait_until_all_are_ready(self, after: str) -> None:
        """Note whoever does not come to be ready."""
        with clients.client(timeout=30) as http:
            for process in self.shop.processes:
                for url in process.services.values():
                    if not self.wait_until(partial(is_ready, http, url)) and not self.given_up.is_set():
                        self.unwell.append(f"{process.name} is not ready {PATIENCE_SECONDS:g} s after {after}")

    def all_ready(self) -> bool:
        """Whether everybody is ready now."""
        with clients.client(timeout=5) as http:
            return all(is_ready(http, url) for process in self.shop.processes for url in process.services.values())

    @property
    def database(self) -> PrivatePostgres:
        """The shop's PostgreSQL.  Raises TortureTrouble unless it is ours."""
        if self.shop.postgres is None:
            raise TortureTrouble("Only a PostgreSQL of the torture's own is taken away: unset DATABASE_URL.")
        return self.shop.postgres

    def some_process(self) -> ShopProcess:
        """Any process."""
        return self.chance.choice(self.shop.processes)

    def die(self, place: str) -> None:
        """Whichever instance of a service comes by this place first dies there; then it is started again."""
        group = self.shop.groups[self.chance.choice([
            service for service in sorted(self.shop.groups) if comes_by(service, place, self.modes)
        ])]
        for process in group:
            tell_to_die(process.death, place)
        self.wait_until(lambda: any(process.ended is not None for process in group), HAPPEN_SECONDS)
        withdrawn = [withdraw(process.death) for process in group]
        dying = [process for process, back in zip(group, withdrawn, strict=True) if not back]
        for process in dying:
            status = process.wait_until_ended()
            if status != STATUS:  # of itself, and for another reason
                self.unwell.append(f"{process.name} ended with {status}. {process.last_words()}")
            self.happened[f"die @ {place}"] += 1
            process.start()
        if not dying:
            self.missed[f"die @ {place}"] += 1


def comes_by(service: str, place: str, modes: Sequence[str]) -> bool:
    """Whether a service comes by a place where it may die."""
    only_rpc = set(modes) == {"rpc"}  # there only who asks marks its outbox, and answers need no ack
    if place in ("after-commit", "after-publish") and service == "notification":
        return False  # it says nothing
    if place == "after-publish" and only_rpc:
        return service == "order"
    return not (place == "before-ack" and only_rpc and service == "order")


WAYS: dict[str, Callable[[Faults], None]] = {place: partial(Faults.die, place=place) for place in PLACES}
"""Every kind of fault by its name; :mod:`lab.torture.kinds` knows them all."""


def way(name: str) -> Callable[[Callable[[Faults], None]], Callable[[Faults], None]]:
    """Let it be known by this name."""
    def known(does: Callable[[Faults], None]) -> Callable[[Faults], None]:
        WAYS[name] = does
        return does

    return known

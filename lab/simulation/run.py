"""One run: a workload in a world that breaks, healed at the end, and what was found."""

from __future__ import annotations

import gc
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID
from weakref import finalize

from lab.books import Books, open_books
from lab.order_story.story import Story
from lab.promises import check
from lab.simulation.faults import Plan
from lab.simulation.invariants import Broken
from lab.simulation.journals import LATEST_SECONDS, overdue, told_by_journals
from lab.simulation.nature import parked_ids
from lab.simulation.scheduler import Killed, Stalled
from lab.simulation.stores import Kind
from lab.simulation.story import stories
from lab.simulation.workload import Clients, Workload
from lab.simulation.world import World
from patterns.settings import Settings, configure, use_settings
from patterns.shop import SERVICES

TROUBLE_SECONDS = 12.0
"""How long things may break; then nothing breaks any more, and all must come to rest."""

QUIET_SECONDS = 900.0
"""How long it may take until all has come to rest, by the simulated clock."""


UNKNOWN_COMMITS = ("commit lost", "commit unknown")


@dataclass
class Result:
    """What one run did, and what it broke."""

    seed: int
    broken: list[str]
    places: int
    steps: int
    seconds: float
    happened: Counter[tuple[str, str]]
    plan: dict[int, str]
    outcomes: Counter[str] = field(default_factory=Counter)
    story: list[tuple[float, str, str]] = field(default_factory=list)
    fingerprint: int = 0
    stories: Callable[[], list[Story]] = field(default=list, repr=False, compare=False)
    """What became of each order that the complaints name, or of all: asked only by who wants to show it."""
    books: Callable[[], Books] | None = field(default=None, repr=False, compare=False)
    """All that stands in the databases at the end."""
    told: list[tuple[float, UUID, str]] = field(default_factory=list)
    """When a client was told what about which order."""
    seen: Counter[str] = field(default_factory=Counter)
    """Defences at work (:data:`lab.simulation.counting.SEEN`)."""
    looks: int = 0
    """How often what always holds was looked at."""


def simulate(
    workload: Workload, seed: int, *, plan: Plan | None = None, rate: float = 0.0,
    weights: Mapping[str, float] | None = None, instances: int = 1, switching: float = 0.2, store: Kind = "serial",
) -> Result:
    """Run it; the same arguments give the same result."""
    use_settings(of_every_run().model_copy(update={"verdict_seed": str(seed)}))
    world = World(seed, plan=plan, rate=rate, weights=weights, instances=instances, switching=switching, store=store)
    clients = Clients(world, workload)
    broken: list[str] = []
    began = world.scheduler.now
    with quietly(), unswept(), world.entered(), seeded(seed):
        clients.fill()
        clients.start()
        try:
            # A plan ends by itself; chance has to be stopped.
            world.later(TROUBLE_SECONDS, lambda: setattr(world.injector, "healed", bool(rate)))
            world.later(TROUBLE_SECONDS + LATEST_SECONDS, lambda: clients.wrong.extend(overdue(world)))
            if not world.scheduler.run(lambda: at_rest(world, clients, began)):
                broken.append("nobody can go on")
        except (Broken, Stalled, AssertionError) as error:
            broken.append(f"{type(error).__name__}: {error}")
        except Exception as error:  # a thread of the shop ended by a surprise; nobody may outlive that unnoticed
            broken.append(f"a thread died of {type(error).__name__}: {error}")
        except Killed as error:
            broken.append(f"the simulation itself died: {error}")
        if not broken:
            broken += when_quiet(world, clients)
    happened = world.injector.happened
    world.seen["commit unknown"] = sum(count for (_, kind), count in happened.items() if kind in UNKNOWN_COMMITS)
    world.seen["client asked again"] = clients.told.unknown
    end = End(world, clients, broken)
    return Result(
        seed, broken, world.injector.number, world.scheduler.steps, world.scheduler.now - began, world.injector.happened,
        world.injector.done, outcomes(world), world.story,
        hash((world.injector.number, world.scheduler.steps, world.scheduler.now)),
        end.stories, end.books, clients.told.answers,
        +world.seen, world.watch.looks,
    )


class End:
    """A world that has come to its end, for whoever wants to look at it; then its databases serve another run."""

    def __init__(self, world: World, clients: Clients, broken: list[str]) -> None:
        self._world, self._clients, self._broken = world, clients, broken
        finalize(self, world.give_back).atexit = False

    def stories(self) -> list[Story]:
        """What became of each order that the complaints name, or of all."""
        return stories(self._world, self._clients, self._broken)

    def books(self) -> Books:
        """All that stands in the databases."""
        return open_books(self._clients._at)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Libraries that take chance from Python's own generator (tenacity's jitter) get the run's."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


@cache
def of_every_run() -> Settings:
    """The settings of a simulated shop but for its seed; whatever the environment says of the rest is read once."""
    return configure(
        payment_failure_rate=0.15, delivery_failure_rate=0.15, order_deadline_seconds=30, rpc_wait_seconds=3,
        retry_delays_seconds=(0.5, 1, 2), relay_seconds=6,
    )


@contextmanager
def unswept() -> Iterator[None]:
    """Garbage waits until a run is over: looking for it takes a sixth of the time, and its end is no part of the run."""
    swept = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if swept:
            gc.enable()


@contextmanager
def quietly() -> Iterator[None]:
    """What breaks on purpose is not worth a line each."""
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logging.getLogger().setLevel(before)


def at_rest(world: World, clients: Clients, began: float) -> bool:
    """Whether nothing is under way, or time is over."""
    if world.scheduler.now - began > TROUBLE_SECONDS + QUIET_SECONDS:
        return True
    if clients.busy or (world.injector.rate and not world.injector.healed):
        return clients.busy == 0 and not any(under_way(world))
    return not any(under_way(world))


def under_way(world: World) -> Iterator[str]:
    """What is not finished; whoever wants to know only whether there is something asks for the first."""
    busy = [f"{service}: a transaction" for service in SERVICES if world.stores[service].busy]
    yield from busy
    if busy:
        return
    for service in SERVICES:
        if world.stores[service].rows("SELECT 1 FROM outbox WHERE sent_at IS NULL LIMIT 1"):
            yield f"{service}: outbox"
    if world.stores["order"].rows(
        "SELECT 1 FROM orders WHERE status = 'PROCESSING' OR (status = 'FAILED' AND undone_at IS NULL) LIMIT 1"
    ):
        yield "open orders"
    if not world.broker_is_up:
        yield "the broker is away"
    for name, (ready, unacked, _) in world.broker.queues().items():
        if ready + unacked and not name.endswith(".parked"):
            yield name


def when_quiet(world: World, clients: Clients) -> list[str]:
    """What must hold once all has come to rest."""
    found = [f"not at rest: {left}" for left in under_way(world)] + clients.wrong
    if not found and (parked := parked_ids(world)) != world.poison.keys():
        found.append(f"parked without reason: {sorted(parked - world.poison.keys())}; "
                     f"poison not parked: {sorted(world.poison.keys() - parked)}")
    world.stop()
    books = open_books(lambda service: clients._at(service))
    for promise in check(books):
        found += [f"{promise.text} {where}" for where in promise.broken[:3]]
    found += told_by_journals(world, len(clients.workload.wishes))
    found += [f"a client was told that {order} is accepted; it is not there"
              for order in sorted(clients.told.accepted - books.orders.keys())]
    for order, status in clients.told.endings.items():
        if books.orders.get(order) is None or books.orders[order].status != status:
            found.append(f"a client was told that {order} is {status}; it is not")
    return found


def outcomes(world: World) -> Counter[str]:
    """How many orders ended how."""
    return Counter(status for (status,) in world.stores["order"].rows("SELECT status FROM orders"))

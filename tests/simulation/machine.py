"""The simulated shop as a Hypothesis machine: customers, staff, crashes, time; each rule may find the others half done.

A rule places several orders at once, and lets something break amid them: where a commit, a publish or an ack of a chosen
service comes next.  So a story of a few rules has seen every service die between what it did and what it had to say.

What always holds is looked at after every commit and after every rule; at the end everything heals, comes to rest, and
what must hold then is looked at as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lab.simulation.faults import KINDS, Visit
from lab.simulation.run import at_rest, quietly, seeded, under_way, when_quiet
from lab.simulation.show import tables
from lab.simulation.story import stories
from lab.simulation.workload import NAMES, Clients, Wish, Workload
from lab.simulation.world import World
from patterns.errors import ServerUnavailable
from patterns.settings import configure
from patterns.shop import SERVICES, order_id_for
from product import crud as products
from tests.simulation.strategies import Breakage, breakages, wishes
from user import crud as users

MONEY, GOODS = (10_000, 1_000), ((1_000, 5), (300, 1))


STEPS = st.sampled_from((0, 1, 10, 40, 150))
"""Of the scheduler, before the next rule: an order takes some hundred."""

ORDERS, BREAKS = st.lists(wishes, min_size=1, max_size=3), st.lists(breakages, min_size=1, max_size=4)


class ShopMachine(RuleBasedStateMachine):
    """A world of its own for each example."""

    world: World | None = None

    @initialize(seed=st.integers(0, 999), instances=st.integers(1, 2), operators=st.booleans(), first=ORDERS, breaks=BREAKS)
    def the_shop_opens(
        self, seed: int, instances: int, operators: bool, first: list[Wish], breaks: list[Breakage],
    ) -> None:
        configure(payment_failure_rate=0.15, delivery_failure_rate=0.15, verdict_seed=str(seed), order_deadline_seconds=30,
                  rpc_wait_seconds=3, retry_delays_seconds=(0.5, 1, 2), relay_seconds=6)
        self.operators = operators
        self.plan: dict[int, str] = {}
        self.due: list[list[Any]] = []  # breakages, each with how many pass it by
        self.stack = ExitStack()
        self.world = World(seed, plan=self.breaks_here, instances=instances)
        for life in (quietly(), self.world.entered(), seeded(seed)):
            self.stack.enter_context(life)
        self.clients = Clients(self.world, Workload(money=MONEY, goods=GOODS, wishes=()))
        self.clients.fill()
        self.placed: list[UUID] = []
        self.known = Counter({"cents": sum(MONEY), "pieces": sum(pieces for _, pieces in GOODS)})
        self.perhaps: Counter[str] = Counter()  # nobody was told whether it was done
        self.number = 0
        self.world.scheduler.run(lambda: True)  # all services have started: what breaks from here on meets orders
        self.customers_order_and_it_breaks(first, breaks, 10)

    @rule(some=ORDERS, breaks=BREAKS, steps=STEPS)
    def more_customers_come(self, some: list[Wish], breaks: list[Breakage], steps: int) -> None:
        self.customers_order_and_it_breaks(some, breaks, steps)

    def customers_order_and_it_breaks(self, some: list[Wish], breaks: list[Breakage], steps: int) -> None:
        assert self.world is not None
        self.due += [[one, one.after] for one in breaks]
        for wish in some:
            key = f"wish {self.next()}"
            self.placed.append(order_id_for(wish.user, key))
            workload = self.clients.workload
            self.clients.workload = replace(workload, wishes=(*workload.wishes, wish))
            self.clients._begin(f"client{self.number}", partial(self.clients._order, replace(wish, at=0.0), key))
        self.world.scheduler.go_on(steps)

    @rule(before=st.integers(0, 3), breaks=BREAKS, steps=STEPS)
    def a_fresh_order_is_cancelled(self, before: int, breaks: list[Breakage], steps: int) -> None:
        """One of the last few, which may well be under way."""
        if self.placed and self.world is not None:
            self.due += [[one, one.after] for one in breaks]
            order_id = self.placed[-1 - before % len(self.placed)]
            ask = partial(self.clients._cancel, order_id=order_id)
            self.clients._begin(f"client{self.next()}", lambda: self.clients._until_known(ask, order_id))
            self.world.scheduler.go_on(steps)

    @rule(whose=st.integers(1, 2), cents=st.integers(1, 2_000))
    def a_customer_pays_in(self, whose: int, cents: int) -> None:
        self.staff("user", users.deposit, whose, cents, uuid5(NAMES, f"deposit {self.next()}"), adds=Counter(cents=cents))

    @rule(cents=st.integers(0, 2_000))
    def a_customer_comes(self, cents: int) -> None:
        key = uuid5(NAMES, f"new customer {self.next()}")
        self.staff("user", users.create_user, "new", cents, key, adds=Counter(cents=cents))

    @rule(which=st.integers(1, 2), pieces=st.integers(1, 3))
    def goods_arrive(self, which: int, pieces: int) -> None:
        self.staff("product", products.restock, which, pieces, adds=Counter(pieces=pieces))

    @rule(which=st.integers(1, 2), cents=st.integers(0, 2_000))
    def a_price_changes(self, which: int, cents: int) -> None:
        self.staff("product", products.change_product, which, "thing", cents, adds=Counter())

    @rule(which=st.integers(0, 11))
    def a_process_crashes(self, which: int) -> None:
        assert self.world is not None
        process = self.world.instances[which % len(self.world.instances)].process
        if process.alive:
            self.world.later(0, partial(self.world.crash, process))

    @rule(breaks=breakages)
    def somebody_is_going_to_break(self, breaks: Breakage) -> None:
        self.due.append([breaks, breaks.after])

    @rule(ahead=st.integers(1, 60), kind=st.sampled_from([kind for kind in KINDS if kind != "replay"]))
    def something_is_going_to_break(self, ahead: int, kind: str) -> None:
        assert self.world is not None
        self.plan[self.world.injector.number + ahead] = kind

    @precondition(lambda self: self.operators)
    @rule(ahead=st.integers(1, 60))
    def an_operator_replays_a_message(self, ahead: int) -> None:
        """Not in every story: after a replay under a new id the history may tell things twice."""
        assert self.world is not None
        self.plan[self.world.injector.number + ahead] = "replay"

    @rule(steps=STEPS)
    def some_of_it_is_done(self, steps: int) -> None:
        assert self.world is not None
        self.world.scheduler.go_on(steps)

    @rule(seconds=st.sampled_from((0.1, 2, 40)))
    def time_passes(self, seconds: float) -> None:
        assert self.world is not None
        scheduler = self.world.scheduler
        until = scheduler.now + seconds
        scheduler.run(lambda: scheduler.now >= until)

    @rule()
    def everything_heals(self) -> None:
        self.plan.clear()
        self.due.clear()

    def breaks_here(self, visit: Visit) -> str | None:
        """What is due now: of a service's next such place, or of a place by its number."""
        service = visit.process.rstrip("0123456789")
        for waiting in self.due:
            if (waiting[0].whose, waiting[0].place) == (service, visit.place):
                waiting[1] -= 1
                if waiting[1] < 0:
                    self.due.remove(waiting)
                    return str(waiting[0].kind)
        return self.plan.pop(visit.number, None)

    @invariant()
    def what_always_holds_does(self) -> None:
        if self.world is not None:
            for service in SERVICES:
                if not any(one.startswith(f"{service}: a transaction") for one in under_way(self.world)):
                    self.world.watch.look(service)

    def teardown(self) -> None:
        if self.world is None:
            return
        with self.stack:
            if not self.world.scheduler.failures:
                self.comes_to_rest(self.world)

    def comes_to_rest(self, world: World) -> None:
        world.injector.healed = True
        began = world.scheduler.now
        assert world.scheduler.run(lambda: at_rest(world, self.clients, began)), "nobody can go on"
        broken = when_quiet(world, self.clients)
        assert not broken, f"{broken}\n{tables(stories(world, self.clients, broken))}"
        cents = world.stores["user"].rows("SELECT sum(paid_in_cents) FROM users")[0][0]
        pieces = world.stores["product"].rows("SELECT sum(put_in) FROM products")[0][0]
        assert self.known["cents"] <= cents <= self.known["cents"] + self.perhaps["cents"]
        assert self.known["pieces"] <= pieces <= self.known["pieces"] + self.perhaps["pieces"]

    def staff(self, service: str, verb: Callable[..., Any], *arguments: Any, adds: Counter[str]) -> None:
        """Somebody changes a database directly, as the routes do, and is told that it is done, or not."""

        def work() -> None:
            try:
                self.clients._at(service).transact(verb, *arguments)
                self.known += adds
            except ServerUnavailable:
                self.perhaps += adds

        self.clients._begin(f"staff{self.next()}", work)

    def next(self) -> int:
        self.number += 1
        return self.number

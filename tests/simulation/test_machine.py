"""The simulated shop as a Hypothesis machine: customers, staff, crashes, time; each rule may find the others half done.

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

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lab.simulation.faults import KINDS
from lab.simulation.run import at_rest, quietly, seeded, under_way, when_quiet
from lab.simulation.show import tables
from lab.simulation.story import stories
from lab.simulation.workload import NAMES, Clients, Wish, Workload
from lab.simulation.world import World
from patterns.errors import ServerUnavailable
from patterns.settings import configure
from patterns.shop import SERVICES, order_id_for
from product import crud as products
from tests.simulation.profiles import EXAMPLES, SECONDS, tried
from tests.simulation.strategies import wishes
from user import crud as users

MONEY, GOODS = (10_000, 1_000), ((1_000, 5), (300, 1))


class ShopMachine(RuleBasedStateMachine):
    """A world of its own for each example."""

    world: World | None = None

    @initialize(seed=st.integers(0, 999), instances=st.integers(1, 2))
    def the_shop_opens(self, seed: int, instances: int) -> None:
        configure(payment_failure_rate=0.15, delivery_failure_rate=0.15, verdict_seed=str(seed), order_deadline_seconds=30,
                  rpc_wait_seconds=3, retry_delays_seconds=(0.5, 1, 2), relay_seconds=6)
        self.plan: dict[int, str] = {}
        self.stack = ExitStack()
        self.world = World(seed, instances=instances)
        self.world.injector.plan = self.plan  # this very one, which grows
        for life in (quietly(), self.world.entered(), seeded(seed)):
            self.stack.enter_context(life)
        self.clients = Clients(self.world, Workload(money=MONEY, goods=GOODS, wishes=()))
        self.clients.fill()
        self.placed: list[UUID] = []
        self.known = Counter({"cents": sum(MONEY), "pieces": sum(pieces for _, pieces in GOODS)})
        self.perhaps: Counter[str] = Counter()  # nobody was told whether it was done
        self.number = 0
        self.world.scheduler.run(lambda: True)  # all services have started: what breaks from here on meets orders

    @rule(wish=wishes)
    def an_order_is_placed(self, wish: Wish) -> None:
        key = f"wish {self.next()}"
        self.placed.append(order_id_for(wish.user, key))
        workload = self.clients.workload
        self.clients.workload = replace(workload, wishes=(*workload.wishes, wish))
        self.clients._begin(f"client{self.number}", partial(self.clients._order, wish, key))

    @rule(which=st.integers(0, 9))
    def an_order_is_cancelled(self, which: int) -> None:
        if self.placed:
            order_id = self.placed[which % len(self.placed)]
            ask = partial(self.clients._cancel, order_id=order_id)
            self.clients._begin(f"client{self.next()}", lambda: self.clients._until_known(ask, order_id))

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

    @rule(ahead=st.integers(1, 60), kind=st.sampled_from(KINDS))
    def something_is_going_to_break(self, ahead: int, kind: str) -> None:
        assert self.world is not None
        self.plan[self.world.injector.number + ahead] = kind

    @rule(steps=st.sampled_from((1, 5, 20, 100)))
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


@pytest.mark.timeout(SECONDS)
def test_whatever_is_done_in_whatever_order_every_promise_is_kept() -> None:
    run_state_machine_as_test(ShopMachine, settings=tried(max(EXAMPLES // 2, 1)))

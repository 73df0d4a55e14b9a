"""What customers do in a simulation, as data that shrinks well, and the clients that do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import Empty
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID, uuid5

from lab.simulation.scheduler import Process
from lab.simulation.store import SimulatedDatabase
from order import crud as orders
from patterns.errors import NotFound, OrderflowError, ServerUnavailable, Unreadable
from patterns.place_order import OrderRequest, PlaceOrder
from patterns.service import Service
from patterns.settings import settings
from patterns.shop import SERVICES, CancelOrder, Status
from product import crud as products
from user import crud as users

if TYPE_CHECKING:
    from lab.simulation.world import Instance, World

STATUSES = get_args(Status)

NAMES = UUID("00000000-0000-0000-0000-00000000f10d")


@dataclass(frozen=True)
class Wish:
    """One order a client wants: who, what, in which mode; perhaps it changes its mind, or asks twice."""

    user: int = 1
    items: tuple[tuple[int, int], ...] = ((1, 1),)  # product, quantity
    mode: str = "topic"
    at: float = 0.0  # seconds after the beginning
    cancel_after: float | None = None  # seconds after placing
    asks: int = 1  # how often the same request is sent, under the same key


@dataclass(frozen=True)
class Chore:
    """What the shop's people do meanwhile: deposits, restocks, price changes; or a service that is away."""

    kind: str  # deposit, restock, price; or away: SERVICES[whose] stands still for so many seconds
    whose: int
    amount: int
    at: float


@dataclass(frozen=True)
class Workload:
    """Customers with their money, products with price and stock, and what happens with them."""

    money: tuple[int, ...] = (10_000, 1_000)
    goods: tuple[tuple[int, int], ...] = ((1_000, 5), (300, 1))  # price, pieces
    wishes: tuple[Wish, ...] = (Wish(),)
    chores: tuple[Chore, ...] = ()


@dataclass
class Told:
    """What a client was told, for the promise that it stays true."""

    accepted: set[UUID] = field(default_factory=set)
    endings: dict[UUID, str] = field(default_factory=dict)
    answers: list[tuple[float, UUID, str]] = field(default_factory=list)  # when, of which order, what
    unknown: int = 0
    refused: int = 0

    def status(self, order: UUID, status: str) -> str | None:
        """Note an answer; says what is wrong with it, if it contradicts an earlier one."""
        self.accepted.add(order)
        before = self.endings.get(order)
        if before is not None and before != status:
            return f"a client was told that {order} is {before}, and then that it is {status}"
        if status != "PROCESSING":
            self.endings[order] = status
        return None


class Clients:
    """All clients of a run: each wish and each chore in a process of its own."""

    def __init__(self, world: World, workload: Workload) -> None:
        self.world, self.workload = world, workload
        self.told = Told()
        self.busy = 0
        self.wrong: list[str] = []

    def fill(self) -> None:
        """Open the accounts and fill the shelves, before anything can break."""
        for number, cents in enumerate(self.workload.money):
            self._at("user").transact(users.create_user, f"customer {number + 1}", cents, uuid5(NAMES, f"user {number}"))
        for price, pieces in self.workload.goods:
            self._at("product").transact(products.create_product, "thing", price, pieces)

    def start(self) -> None:
        """Let them all begin."""
        for number, wish in enumerate(self.workload.wishes):
            self._begin(f"client{number + 1}", partial(self._order, wish, f"wish {number}"))
        for number, chore in enumerate(self.workload.chores):
            self._begin(f"staff{number + 1}", partial(self._do, chore, f"chore {number}"))

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        process = Process(name)
        self.world.others.append(process)
        self.busy += 1

        def counted() -> None:
            try:
                work()
            finally:
                self.busy -= 1

        self.world.scheduler.spawn(name, process, counted)

    def _order(self, wish: Wish, key: str) -> None:
        self.world.scheduler.wait(wish.at)
        request = OrderRequest.model_validate({
            "user_id": wish.user, "mode": wish.mode,
            "items": [{"product_id": product, "quantity": quantity} for product, quantity in wish.items],
        })
        order = PlaceOrder.of(request, key=key, mode=wish.mode)
        for _ in range(wish.asks):
            self._until_known(lambda running: self._place(running, order), order.order_id)
        if wish.cancel_after is not None:
            self.world.scheduler.wait(wish.cancel_after)
            self._until_known(lambda running: self._cancel(running, order.order_id), order.order_id)

    def _place(self, running: Service, order: PlaceOrder) -> str:
        """POST /orders, as the route does it."""
        running.perform(order, wait=True)
        return self._told(running, order.order_id)

    def _cancel(self, running: Service, order_id: UUID) -> str:
        """POST /orders/{id}/cancel, as the route does it."""
        running.perform(CancelOrder(order_id=order_id))
        return self._told(running, order_id)

    def _told(self, running: Service, order_id: UUID) -> str:
        return str(running.database.read(orders.get_order, order_id)["status"])

    def _until_known(self, ask: Callable[[Service], str], order_id: UUID) -> None:
        """Ask the order service, again and again while nobody knows whether it was done: what clients with keys do."""
        scheduler = self.world.scheduler
        while True:
            able = [one for one in self.world.instances if one.service == "order" and one.running is not None]
            answer = self._ask(scheduler.chance.choice(able), ask) if able else None
            if answer is not None:
                self._hears(answer, order_id)
                return
            self.told.unknown += 1
            scheduler.wait(scheduler.chance.uniform(0.2, 2.0))

    def _hears(self, answer: str, order_id: UUID) -> None:
        """A client is told something; what it is told of an order's ending must stay true."""
        self.told.answers.append((self.world.time(), order_id, answer))
        if answer in STATUSES:
            self.wrong += [wrong for wrong in [self.told.status(order_id, answer)] if wrong]
        else:
            self.told.refused += 1

    def _ask(self, instance: Instance, ask: Callable[[Service], str]) -> str | None:
        """One request, in a thread of the instance; None when its answer never comes."""
        answers, running = self.world.runtime.mailbox(), instance.running
        if running is None:
            return None

        def serve() -> None:
            try:
                answers.put(ask(running))
            except (NotFound, Unreadable) as error:
                answers.put(f"refused: {error}")
            except ServerUnavailable:
                answers.put(None)
            except OrderflowError as error:
                answers.put(f"refused: {error}")

        self.world.scheduler.spawn("http", instance.process, serve)
        try:
            answer: str | None = answers.get(timeout=settings().rpc_wait_seconds + 5)
        except Empty:
            return None
        return answer

    def _do(self, chore: Chore, key: str) -> None:
        self.world.scheduler.wait(chore.at)
        if chore.kind == "away":
            self._away(SERVICES[chore.whose], chore.amount)
            return
        work: dict[str, tuple[str, Callable[..., Any], tuple[Any, ...]]] = {
            "deposit": ("user", users.deposit, (chore.whose, chore.amount, uuid5(NAMES, key))),
            "restock": ("product", products.restock, (chore.whose, chore.amount)),
            "price": ("product", products.change_product, (chore.whose, "thing", chore.amount)),
        }
        service, verb, arguments = work[chore.kind]
        try:
            self._at(service).transact(verb, *arguments)
        except ServerUnavailable:
            self.told.unknown += 1

    def _away(self, service: str, seconds: float) -> None:
        """Let every instance of a service stand still, as if its machine were paused."""
        for instance in self.world.instances:
            if instance.service == service:
                instance.process.stopped_until = self.world.scheduler.now + seconds
                self.world.note(instance.process, f"{instance.process.name} stands still for {seconds:g} s")

    def _at(self, service: str) -> SimulatedDatabase:
        store = self.world.stores[service]
        current = self.world.scheduler.current
        process = current.process if current is not None else self.world.nature
        return SimulatedDatabase(store, process)

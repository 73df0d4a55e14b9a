"""The clients: each wants its order, and asks with the same key until it has an answer, or its patience is over."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from queue import SimpleQueue

import httpx

from lab import clients
from lab.torture.history import History, What
from lab.torture.plan import Plan
from lab.torture.supply import Supply
from lab.torture.wishes import Wish, stock_up, wishes

ANSWER_SECONDS = 15.0
"""How long a client waits for an answer: longer than RPC_WAIT_SECONDS."""
CANCELLERS = 2
LOOK_SHARE = 0.25


class Load:
    """Many clients at once, working off one list of wishes against several instances of the order service.

    They begin as many orders as their supply permits, and end when it says that there will be no more.
    """

    def __init__(self, plan: Plan, modes: Sequence[str], wishes: Iterator[Wish], urls: list[str]) -> None:
        self.plan, self.modes, self.name, self.urls = plan, modes, "+".join(modes), urls
        self.supply = Supply(wishes)
        self.history = History()
        self._stopping = threading.Event()
        self._until = time.monotonic() + plan.limit_seconds
        self._to_cancel: SimpleQueue[tuple[float, Wish] | None] = SimpleQueue()
        numbers = range(plan.clients)
        self._clients = [threading.Thread(target=self._client, args=(number,), daemon=True) for number in numbers]
        self._cancellers = [threading.Thread(target=self._canceller, daemon=True) for _ in range(CANCELLERS)]

    def start(self) -> None:
        """Begin."""
        for thread in (*self._clients, *self._cancellers):
            thread.start()

    def flowing(self, open_orders: Callable[[], int]) -> AbstractContextManager[None]:
        """For so long orders do not cease, as long as some client is free and not too many orders are open."""
        return self.supply.flowing(
            lambda: self.history.ended > len(self.wanted) - self.plan.clients and open_orders() < self.plan.clients)

    def stop(self) -> None:
        """Break off: clients give up what they have no answer to."""
        self._stopping.set()
        self.supply.last_call()

    def join(self) -> None:
        """Wait until every client and canceller has ended."""
        for thread in self._clients:
            thread.join()
        for _ in self._cancellers:
            self._to_cancel.put(None)
        for thread in self._cancellers:
            thread.join()

    @property
    def running(self) -> bool:
        """Whether any client still wants something."""
        return any(client.is_alive() for client in self._clients)

    @property
    def wanted(self) -> list[Wish]:
        """What was begun, in this order."""
        return self.supply.begun

    @property
    def idle(self) -> bool:
        """Whether all that was permitted was begun, and has its end: an answer, or a client without patience."""
        return not self.supply.left and self.history.ended >= len(self.wanted)

    def _client(self, number: int) -> None:
        chance = self.plan.chance(self.name, "client", number)
        mine: deque[Wish] = deque(maxlen=20)
        with clients.client(timeout=ANSWER_SECONDS) as http:
            while not self.over and (wish := self.supply.take(self._until - time.monotonic())) is not None:
                if wish.cancel_after is not None:
                    self._to_cancel.put((time.monotonic() + wish.cancel_after, wish))
                self._ask("place", wish, _placing(http, wish))
                mine.append(wish)
                if chance.random() < LOOK_SHARE:
                    self._once("look", (seen := chance.choice(mine)), _looking(http, seen), chance.choice(self.urls))

    def _canceller(self) -> None:
        """Cancel orders while they are on their way, as soon as they are known."""
        with clients.client(timeout=ANSWER_SECONDS) as http:
            while (due := self._to_cancel.get()) is not None:
                at, wish = due
                self._stopping.wait(at - time.monotonic())
                self._ask("cancel", wish, _cancelling(http, wish))

    def _ask(self, what: What, wish: Wish, send: Callable[[str], httpx.Response]) -> None:
        """Ask one instance after another until one answers; to cancel what is not there yet is no answer."""
        turn, until = wish.number, time.monotonic() + self.plan.patience_seconds
        while not self.over and time.monotonic() < until:
            code = self._once(what, wish, send, self.urls[turn % len(self.urls)])
            if code is not None and code < 500 and not (what == "cancel" and code == 404):
                return
            turn += 1
            self._stopping.wait(0.05)
        self.history.gave_up(what, wish.order_id)

    def _once(self, what: What, wish: Wish, send: Callable[[str], httpx.Response], url: str) -> int | None:
        began = time.time()
        try:
            answer = send(url)
        except httpx.TransportError:  # refused, broken off or too slow: it may have been carried out or not
            answer = None
        return self.history.note(what, wish.order_id, began, answer).code

    @property
    def over(self) -> bool:
        """Whether it was stopped, or its time is over."""
        return self._stopping.is_set() or time.monotonic() > self._until


def stocked(plan: Plan, modes: Sequence[str], users: str, products: str, orders: list[str]) -> Load:
    """A load in these modes, in a shop that is stocked for it; the services answer at these URLs."""
    stocks = {mode: stock_up(plan, mode, users, products) for mode in modes}
    return Load(plan, modes, wishes(plan, stocks), orders)


def _placing(http: httpx.Client, wish: Wish) -> Callable[[str], httpx.Response]:
    return lambda url: http.post(f"{url}/orders", json=wish.body, headers={"Idempotency-Key": wish.key})


def _looking(http: httpx.Client, wish: Wish) -> Callable[[str], httpx.Response]:
    return lambda url: http.get(f"{url}/orders/{wish.order_id}")


def _cancelling(http: httpx.Client, wish: Wish) -> Callable[[str], httpx.Response]:
    return lambda url: http.post(f"{url}/orders/{wish.order_id}/cancel")

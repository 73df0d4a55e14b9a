"""The shop's own words, for tests: customers, goods, orders, and what became of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select, update

from lab.audit import audit_when_quiet, under_way
from lab.books import database_of
from lab.local import LocalShop
from order.models import orders
from patterns import gateway
from patterns.amqp import Outgoing, Receipt
from patterns.envelope import Said
from patterns.errors import DatabaseUnavailable
from patterns.journal import outbox
from patterns.outbox import _FIELDS
from patterns.settings import settings
from patterns.shop import SERVICES, order_id_for
from patterns.transport import transport

PATIENCE_SECONDS = 60
RATE = 0.5
"""Half of all orders are declined by the gateway, and half refused by the carrier; a test picks its order's fate."""


def until(what: Callable[[], Any], doing: str) -> Any:
    """Wait for something to become true, and answer it."""
    deadline, pause, seconds = time.monotonic() + PATIENCE_SECONDS, threading.Event(), 0.01
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s in vain: {doing}; under way: {_left()}"
        pause.wait(seconds)
        seconds = min(seconds * 1.5, 0.1)  # whoever asks all the time takes it from those he waits for
    return found


def _left() -> list[str] | DatabaseUnavailable:
    try:
        return under_way()
    except DatabaseUnavailable as error:
        return error


def key_for(user: int, *, paid: bool = True, delivered: bool = True) -> str:
    """An Idempotency-Key whose order meets this fate in the outside world."""
    while True:
        key = str(uuid4())
        order_id = order_id_for(user, key)
        declined = gateway.refuses("payment", order_id, settings().payment_failure_rate)
        refused = gateway.refuses("delivery", order_id, settings().delivery_failure_rate)
        if declined is not paid and (declined or refused is not delivered):
            return key


class Words:
    """What one says in a test about a running shop, in one mode."""

    def __init__(self, shop: LocalShop, mode: str) -> None:
        self.shop, self.mode = shop, mode

    def customer(self, cents: int) -> int:
        answer = self.shop.http("user").post("/users", json={"name": "Ada", "balance_cents": cents})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def goods(self, price: int, quantity: int) -> int:
        body = {"name": "Chair", "price_cents": price, "quantity": quantity}
        answer = self.shop.http("product").post("/products", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def post(self, body: dict[str, Any], key: str) -> httpx.Response:
        body = {"mode": self.mode, **body}
        return self.shop.http("order").post("/orders", json=body, headers={"Idempotency-Key": key})

    def order(self, user: int, lines: dict[int, int], key: str | None = None, **more: Any) -> UUID:
        """Place an order and answer its id, not waiting for its end."""
        items = [{"product_id": product, "quantity": quantity} for product, quantity in lines.items()]
        answer = self.post({"user_id": user, "items": items, **more}, key or key_for(user))
        assert answer.status_code in (200, 201, 202), answer.text
        return UUID(answer.json()["id"])

    def order_meanwhile(self, user: int, lines: dict[int, int], key: str) -> tuple[UUID, threading.Thread]:
        """Place an order from another thread, since in mode rpc the answer may take its time."""
        thread = threading.Thread(target=lambda: self.order(user, lines, key))
        thread.start()
        order_id = order_id_for(user, key)
        until(lambda: self.shop.http("order").get(f"/orders/{order_id}").status_code == 200, "the order is accepted")
        return order_id, thread

    def settled(self, order_id: UUID) -> dict[str, Any]:
        """The order once it has ended."""
        return until(lambda: (order := self.look(order_id))["status"] != "PROCESSING" and order, f"{order_id} settles")

    def look(self, order_id: UUID | str) -> dict[str, Any]:
        answer = self.shop.http("order").get(f"/orders/{order_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def cancel(self, order_id: UUID | str) -> httpx.Response:
        return self.shop.http("order").post(f"/orders/{order_id}/cancel")

    def money(self, user: int) -> tuple[int, int, int]:
        """What a customer has free, held and spent."""
        found = self.shop.http("user").get(f"/users/{user}").json()
        return found["balance_cents"], found["held_cents"], found["spent_cents"]

    def stock(self, product: int) -> tuple[int, int, int]:
        """How many are on the shelf, reserved and sold."""
        found = self.shop.http("product").get(f"/products/{product}").json()
        return found["shelf"], found["reserved"], found["sold"]

    def news(self, order_id: UUID | str) -> set[str]:
        told = self.shop.http("notification").get("/notifications", params={"order_id": str(order_id)}).json()
        return {one["kind"] for one in told}

    def deadline_passes(self, order_id: UUID) -> None:
        overdue = update(orders).where(orders.c.id == order_id).values(deadline_at=0)
        database_of("order").transact(lambda session: session.execute(overdue))

    def said(self, order_id: UUID | str) -> list[tuple[str, Said]]:
        """Everything said about an order so far, and by whom."""
        rows = select(outbox).where(outbox.c.order_id == UUID(str(order_id)))
        return [
            (service, Said(**{name: getattr(row, name) for name in _FIELDS}))
            for service in SERVICES
            for row in database_of(service).read(lambda session: list(session.execute(rows)))
            if row.address != "answer"
        ]

    def say_again(self, order_id: UUID | str, *, new_ids: bool) -> int:
        """Publish everything said about an order once more, under the same ids or new ones; answers how many."""
        copies: list[Outgoing] = []
        for service, one in self.said(order_id):
            again = one if not new_ids else Said(**{**{name: getattr(one, name) for name in _FIELDS}, "message_id": uuid4()})
            copies.append(again.outgoing(service))
        connection = transport().connect("test.again")
        try:
            receipts = connection.channel().publish(copies)
        finally:
            connection.close()
        assert set(receipts) <= {Receipt.CONFIRMED}
        return len(copies)

    def quiet(self) -> None:
        """Wait until nothing is under way, then hold the books against every promise."""
        report = audit_when_quiet(PATIENCE_SECONDS)
        broken = [(promise.text, promise.broken) for promise in report.promises if promise.broken]
        assert report.clean, (broken, report.unfinished)

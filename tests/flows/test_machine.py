"""The shop as a Hypothesis machine: a model of money and goods beside the running services.

Hypothesis chooses what customers do and what breaks; after every rule each account and each shelf must add up to what was
put in, and at the end the shop comes to rest and every promise is audited.  Time and threads are real here, so a failure
is not shrunk; the deterministic simulation is for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lab.local import LocalShop
from patterns.settings import MODES
from patterns.shop import SERVICES
from tests.flows.words import Words, key_for

RPC_WAIT_SECONDS = 0.5

MONEY = st.integers(1, 20_000)
PIECES = st.integers(1, 6)
modes = st.sampled_from(MODES)


class ShopMachine(RuleBasedStateMachine):
    """Customers, goods, orders, and everything that can go wrong with them."""

    shop: ClassVar[LocalShop]

    customers = Bundle("customers")
    products = Bundle("products")
    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.words = Words(self.shop, "topic")
        self.paid_in: dict[int, int] = {}
        self.put_in: dict[int, int] = {}
        self.placed: dict[UUID, dict[str, Any]] = {}
        self.told: dict[UUID, str] = {}

    @initialize(target=customers, cents=MONEY)
    def first_customer(self, cents: int) -> int:
        return self.new_customer(cents)

    @initialize(target=products, price=st.integers(0, 5_000), pieces=PIECES)
    def first_product(self, price: int, pieces: int) -> int:
        return self.new_product(price, pieces)

    @rule(target=customers, cents=MONEY)
    def a_customer_comes(self, cents: int) -> int:
        return self.new_customer(cents)

    @rule(customer=customers, cents=MONEY)
    def a_customer_pays_in(self, customer: int, cents: int) -> None:
        answer = self.shop.http("user").post(f"/users/{customer}/deposits", json={"amount_cents": cents})
        assert answer.status_code == 201, answer.text
        self.paid_in[customer] += cents

    @rule(product=products, pieces=PIECES)
    def goods_arrive(self, product: int, pieces: int) -> None:
        answer = self.shop.http("product").post(f"/products/{product}/restock", json={"quantity": pieces})
        assert answer.status_code == 201, answer.text
        self.put_in[product] += pieces

    @rule(product=products, price=st.integers(0, 5_000))
    def a_price_changes(self, product: int, price: int) -> None:
        answer = self.shop.http("product").put(f"/products/{product}", json={"name": "Chair", "price_cents": price})
        assert answer.status_code == 200, answer.text

    @rule(
        target=orders, mode=modes, customer=customers, product=products, other=products, pieces=PIECES,
        paid=st.booleans(), delivered=st.booleans(),
    )
    def an_order_is_placed(
        self, mode: str, customer: int, product: int, other: int, pieces: int, paid: bool, delivered: bool
    ) -> UUID:
        """With ``paid`` false the gateway refuses, with ``delivered`` false the carrier does."""
        key = key_for(customer, paid=paid, delivered=delivered)
        body = {"user_id": customer, "mode": mode, "items": [{"product_id": product, "quantity": pieces},
                                                              {"product_id": other, "quantity": 1}]}
        order_id = self.post(body, key)
        self.placed[order_id] = {"key": key, "body": body, "may_succeed": paid and delivered}
        return order_id

    @rule(order=orders)
    def the_same_order_is_placed_again(self, order: UUID) -> None:
        assert self.post(self.placed[order]["body"], self.placed[order]["key"]) == order

    @rule(order=orders)
    def an_order_is_cancelled(self, order: UUID) -> None:
        answer = self.words.cancel(order)
        assert answer.status_code in (200, 409), answer.text
        self.told[order] = self.note(order, "FAILED" if answer.status_code == 200 else "SUCCESS")

    @rule(order=orders)
    def a_deadline_passes(self, order: UUID) -> None:
        self.words.deadline_passes(order)

    @rule(order=orders, new_ids=st.booleans())
    def messages_are_delivered_twice(self, order: UUID, new_ids: bool) -> None:
        self.words.say_again(order, new_ids=new_ids)

    @rule(service=st.sampled_from(SERVICES))
    def a_service_crashes_and_restarts(self, service: str) -> None:
        self.shop.crash(service)
        self.shop.start(service)

    @rule(service=st.sampled_from(SERVICES[1:]), mode=modes, customer=customers, product=products)
    def an_order_is_placed_while_a_service_is_down(self, service: str, mode: str, customer: int, product: int) -> None:
        if service == "order":
            return
        self.shop.stop(service)
        try:
            key = key_for(customer)
            body = {"user_id": customer, "mode": mode, "product_id": product, "quantity": 1}
            self.placed[self.post(body, key)] = {"key": key, "body": body, "may_succeed": True}
        finally:
            self.shop.start(service)

    @invariant()
    def money_is_conserved(self) -> None:
        for customer, paid_in in self.paid_in.items():
            assert sum(self.words.money(customer)) == paid_in
            assert min(self.words.money(customer)) >= 0

    @invariant()
    def goods_are_conserved(self) -> None:
        for product, put_in in self.put_in.items():
            assert sum(self.words.stock(product)) == put_in
            assert min(self.words.stock(product)) >= 0

    def teardown(self) -> None:
        if not self.paid_in:
            return
        for order, details in self.placed.items():
            status = self.words.settled(order)["status"]
            assert self.note(order, status) == status
            assert details["may_succeed"] or status == "FAILED"
        self.words.quiet()
        self.money_is_conserved()
        self.goods_are_conserved()
        for customer in self.paid_in:
            theirs = [order for order, details in self.placed.items() if details["body"]["user_id"] == customer]
            bought = [self.words.look(order) for order in theirs]
            spent = sum(order["amount_cents"] for order in bought if order["status"] == "SUCCESS")
            assert self.words.money(customer)[1:] == (0, spent)

    def new_customer(self, cents: int) -> int:
        customer = self.words.customer(cents)
        self.paid_in[customer] = cents
        return customer

    def new_product(self, price: int, pieces: int) -> int:
        product = self.words.goods(price, pieces)
        self.put_in[product] = pieces
        return product

    def post(self, body: dict[str, Any], key: str) -> UUID:
        answer = self.words.post(body, key)
        assert answer.status_code in (200, 201, 202), answer.text
        order_id = UUID(answer.json()["id"])
        if answer.json()["status"] != "PROCESSING":
            self.note(order_id, answer.json()["status"])
        return order_id

    def note(self, order: UUID, status: str) -> str:
        """What a client was told of an order stays so for ever."""
        assert self.told.setdefault(order, status) == status
        return status


@pytest.fixture(scope="module")
def machine_shop(shop: LocalShop) -> Iterator[LocalShop]:
    ShopMachine.shop = shop
    yield shop


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("machine_shop")
def test_the_shop_stays_true_whatever_customers_do_and_whatever_breaks() -> None:
    quick = settings(
        max_examples=6, stateful_step_count=12, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), print_blob=True,
    )
    run_state_machine_as_test(ShopMachine, settings=quick)

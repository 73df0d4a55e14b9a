"""What the tables refuse by themselves, whatever the code above them does: every CHECK, and every key."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import CheckConstraint, insert, update

from patterns.shop import SERVICES
from tests.unit.handlers.workbench import PENCIL, RICH, Workbench

ORDER = {
    "user_id": RICH, "mode": "topic", "status": "PROCESSING", "saga_state": "STARTED", "fingerprint": "f", "placed_at": 1.0,
    "deadline_at": 31.0,
}
SUCCESS = {**ORDER, "status": "SUCCESS", "settled_at": 2.0, "amount_cents": 5}
STEP = {"begun_at": 1.0, "changed_at": 1.0}
LINE = {"product_id": PENCIL, "quantity": 1, "price_cents": 1}
PRODUCT = {"name": "eraser", "price_cents": 1, "shelf": 3, "reserved": 0, "sold": 0, "put_in": 3}
USER = {"name": "Somebody", "balance_cents": 3, "held_cents": 0, "spent_cents": 0, "paid_in_cents": 3}
DEPOSIT = {"user_id": RICH, "amount_cents": 1, "paid_in_at": 1.0}

ALLOWED: list[tuple[str, str, dict[str, Any]]] = [
    ("order", "orders", ORDER), ("order", "orders", SUCCESS), ("product", "products", PRODUCT), ("user", "users", USER),
    ("user", "deposits", DEPOSIT), ("product", "reservation_lines", LINE),
    ("product", "reservations", {**STEP, "state": "RESERVED"}), ("user", "holds", {**STEP, "state": "VOID"}),
    ("user", "holds", {**STEP, "state": "HELD", "amount_cents": 0}), ("payment", "payments", {**STEP, "state": "FAILED"}),
    ("payment", "payments", {**STEP, "state": "TAKEN", "amount_cents": 5}),
    ("delivery", "deliveries", {**STEP, "state": "SCHEDULED"}),
]
"""Rows that differ from the refused ones below in one thing only."""

REFUSED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("order", "orders", "a_known_status", {**ORDER, "status": "LOST", "settled_at": 2.0}),
    ("order", "orders", "settled_is_settled", {**ORDER, "settled_at": 2.0}),
    ("order", "orders", "settled_is_settled", {**SUCCESS, "settled_at": None}),
    ("order", "orders", "a_success_is_never_undone", {**SUCCESS, "undone_at": 3.0}),
    ("order", "orders", "a_success_has_an_amount", {**SUCCESS, "amount_cents": None}),
    ("product", "products", "a_price_is_never_negative", {**PRODUCT, "price_cents": -1}),
    ("product", "products", "goods_are_never_negative", {**PRODUCT, "shelf": -1, "reserved": 4}),
    ("product", "products", "goods_are_never_negative", {**PRODUCT, "shelf": 4, "reserved": -1}),
    ("product", "products", "goods_are_never_negative", {**PRODUCT, "shelf": 4, "sold": -1}),
    ("product", "products", "goods_are_conserved", {**PRODUCT, "shelf": 4}),
    ("product", "products", "goods_are_conserved", {**PRODUCT, "put_in": 4}),
    ("product", "reservations", "reservations_state", {**STEP, "state": "HELD"}),
    ("product", "reservation_lines", "a_line_is_of_something", {**LINE, "quantity": 0}),
    ("product", "reservation_lines", "a_line_is_of_something", {**LINE, "price_cents": -1}),
    ("user", "users", "money_is_never_negative", {**USER, "balance_cents": -1, "held_cents": 4}),
    ("user", "users", "money_is_never_negative", {**USER, "balance_cents": 4, "held_cents": -1}),
    ("user", "users", "money_is_never_negative", {**USER, "balance_cents": 4, "spent_cents": -1}),
    ("user", "users", "money_is_conserved", {**USER, "paid_in_cents": 4}),
    ("user", "deposits", "a_deposit_adds_money", {**DEPOSIT, "amount_cents": 0}),
    ("user", "holds", "holds_state", {**STEP, "state": "TAKEN", "amount_cents": 5}),
    ("user", "holds", "a_hold_knows_its_amount", {**STEP, "state": "HELD", "amount_cents": -1}),
    ("payment", "payments", "payments_state", {**STEP, "state": "SOLD", "amount_cents": 5}),
    ("payment", "payments", "a_payment_knows_its_amount", {**STEP, "state": "TAKEN", "amount_cents": -1}),
    ("delivery", "deliveries", "deliveries_state", {**STEP, "state": "TAKEN"}),
]


UNKNOWN_AMOUNTS = [
    ("user", "holds", "a_hold_knows_its_amount", {**STEP, "state": "HELD"}),
    ("payment", "payments", "a_payment_knows_its_amount", {**STEP, "state": "TAKEN"}),
]


def keyed(bench: Workbench, table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row with an order or a deposit of its own, where the table is keyed by one."""
    keys = {column.name for column in bench.table(table).primary_key if column.name in ("order_id", "id")}
    return {**{key: uuid4() for key in keys if table not in ("products", "users")}, **row}


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = Workbench(request.param, tmp_path)
    yield made
    made.database.close()


@pytest.mark.parametrize(("bench", "table", "constraint", "row"), REFUSED, indirect=["bench"])
def test_a_row_that_cannot_be_is_refused(bench: Workbench, table: str, constraint: str, row: dict[str, Any]) -> None:
    assert bench.is_refused(constraint, insert(bench.table(table)).values(keyed(bench, table, row)))


@pytest.mark.parametrize(("bench", "table", "constraint", "row"), UNKNOWN_AMOUNTS, indirect=["bench"])
def test_an_amount_that_is_not_known_is_refused(
    bench: Workbench, table: str, constraint: str, row: dict[str, Any]
) -> None:
    assert bench.is_refused(constraint, insert(bench.table(table)).values(keyed(bench, table, row)))


@pytest.mark.parametrize(("bench", "table", "row"), ALLOWED, indirect=["bench"])
def test_a_row_that_can_be_is_taken(bench: Workbench, table: str, row: dict[str, Any]) -> None:
    bench.work(lambda session: session.execute(insert(bench.table(table)).values(keyed(bench, table, row))))


def test_every_check_of_every_table_is_tried(tmp_path: Path) -> None:
    checks = {
        (service, table.name, str(constraint.name))
        for service in SERVICES for table in Workbench(service, tmp_path).tables.tables.values()
        for constraint in table.constraints if isinstance(constraint, CheckConstraint)
    }
    assert checks == {(service, table, constraint) for service, table, constraint, _ in REFUSED}


def test_goods_cannot_be_made_by_an_update(product: Workbench) -> None:
    products = product.table("products")
    assert product.is_refused("goods_are_conserved", update(products).values(shelf=products.c.shelf + 1))
    assert product.is_refused("goods_are_never_negative", update(products).values(shelf=-1, reserved=products.c.put_in + 1))


def test_money_cannot_be_made_by_an_update(user: Workbench) -> None:
    users = user.table("users")
    assert user.is_refused("money_is_conserved", update(users).values(balance_cents=users.c.balance_cents + 1))


@pytest.mark.parametrize(("bench", "table", "row"), [
    ("product", "reservations", {**STEP, "state": "RESERVED"}), ("user", "holds", {**STEP, "state": "VOID"}),
    ("payment", "payments", {**STEP, "state": "FAILED"}), ("delivery", "deliveries", {**STEP, "state": "SCHEDULED"}),
], indirect=["bench"])
def test_an_order_has_one_row_for_each_step(bench: Workbench, table: str, row: dict[str, Any]) -> None:
    once = insert(bench.table(table)).values(keyed(bench, table, row))
    bench.work(lambda session: session.execute(once))
    assert bench.is_refused(f"UNIQUE constraint failed: {table}.order_id", once)

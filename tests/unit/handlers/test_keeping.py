"""What staff and customers do at the shelves and the till: each change once, within its bounds, on one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.dialects import postgresql

from patterns.errors import Conflict, KeyReused, NotFound
from patterns.message import Message
from product import crud as shelves
from tests.unit.handlers.workbench import NOBODY, NOTHING, PENCIL, POOR, PRICE, RICH, SOLD_OUT, Workbench, word
from user import crud as till


def goods(product: Workbench, product_id: int) -> Any:
    row = product.row("products", id=product_id)
    return row and (row.name, row.price_cents, row.shelf, row.reserved, row.sold, row.put_in)


def money(user: Workbench, user_id: int) -> Any:
    row = user.row("users", id=user_id)
    return row and (row.name, row.balance_cents, row.held_cents, row.spent_cents, row.paid_in_cents)


def test_a_new_product_has_its_goods_on_the_shelf(product: Workbench) -> None:
    made = product.work(lambda session: shelves.create_product(session, "ruler", 120, 7))
    assert goods(product, made.id) == ("ruler", 120, 7, 0, 0, 7)


def test_one_product_is_changed_and_no_other(product: Workbench) -> None:
    other = goods(product, PENCIL)
    changed = product.work(lambda session: shelves.change_product(session, SOLD_OUT, "red pen", 99))
    assert (changed.name, changed.price_cents) == ("red pen", 99) == goods(product, SOLD_OUT)[:2]
    assert goods(product, PENCIL) == other
    with pytest.raises(NotFound):
        product.work(lambda session: shelves.change_product(session, NOTHING, "x", 1))


def test_goods_are_put_on_one_shelf_until_it_is_full(product: Workbench) -> None:
    other = goods(product, PENCIL)
    assert product.work(lambda session: shelves.restock(session, SOLD_OUT, 3)).shelf == 3
    room = shelves.MOST_PUT_IN - 3
    with pytest.raises(Conflict, match="as many goods as can be counted"):
        product.work(lambda session: shelves.restock(session, SOLD_OUT, room + 1))
    product.work(lambda session: shelves.restock(session, SOLD_OUT, room))
    assert goods(product, SOLD_OUT) == ("pen", PRICE, shelves.MOST_PUT_IN, 0, 0, shelves.MOST_PUT_IN)
    assert goods(product, PENCIL) == other
    with pytest.raises(NotFound):
        product.work(lambda session: shelves.restock(session, NOTHING, 1))


def test_a_product_that_was_ever_set_aside_is_not_deleted(product: Workbench) -> None:
    product.do("reserve_stock", word("OrderPlaced"))
    with pytest.raises(Conflict, match="stays on the books"):
        product.work(lambda session: shelves.delete_product(session, PENCIL))
    product.work(lambda session: shelves.delete_product(session, SOLD_OUT))
    assert goods(product, PENCIL) is not None and goods(product, SOLD_OUT) is None
    with pytest.raises(NotFound):
        product.work(lambda session: shelves.delete_product(session, SOLD_OUT))


class Watched:
    """A session that remembers the last statement."""

    def __init__(self, session: Any) -> None:
        self.session, self.dialect, self.last = session, session.dialect, None

    def execute(self, statement: Any, parameters: Any) -> Any:
        self.last, self.parameters = statement, parameters
        return self.session.execute(statement, parameters)


def locked(bench: Workbench, lock: Callable[..., None], *messages: Message) -> list[int]:
    """The rows that are locked before these messages are handled, in that order."""

    def work(session: Any) -> list[int]:
        watched = Watched(session)
        lock(watched, messages)
        assert str(watched.last.compile(dialect=postgresql.dialect())).endswith(" FOR UPDATE")
        return list(session.execute(watched.last, watched.parameters).scalars())

    found: list[int] = bench.work(work)
    return found


def test_the_shelves_of_all_messages_are_locked_the_smallest_id_first_and_no_other(product: Workbench) -> None:
    for name in ("ruler", "rubber"):
        product.work(lambda session, name=name: shelves.create_product(session, name, 120, 7))
    ruler, rubber = (row.id for row in product.rows("products") if row.id not in (PENCIL, SOLD_OUT))
    taken, other = (word("OrderPlaced", lines=[{"product_id": one, "quantity": 1}]) for one in (rubber, ruler))
    for order in (taken, other):
        product.do("reserve_stock", order)
    late = word("OrderPlaced", lines=[{"product_id": PENCIL, "quantity": 1}])
    assert locked(product, shelves.lock_shelves, word("FundsReleased", taken.order_id), late) == [PENCIL, rubber]


def test_the_accounts_of_all_messages_are_locked_the_smallest_id_first_and_no_other(user: Workbench) -> None:
    ada, bob = (user.work(lambda session: till.create_user(session, "Ada", 700, uuid4())).id for _ in range(2))
    held, other = (word("StockReserved", user_id=one) for one in (bob, ada))
    for goods_of in (held, other):
        user.do("hold_funds", goods_of)
    unknown = word("PaymentFailed")
    user.do("release_funds", unknown)  # money never held: whose it would be is not known
    wanted = (word("PaymentFailed", held.order_id), word("StockReserved", user_id=RICH), unknown)
    assert locked(user, till.lock_accounts, *wanted) == [RICH, bob]


def test_a_new_account_has_what_was_paid_in(user: Workbench) -> None:
    for cents in (0, 70):
        made = user.work(lambda session, cents=cents: till.create_user(session, "Ada", cents, uuid4()))
        assert money(user, made.id) == ("Ada", cents, 0, 0, cents) and made.balance_cents == cents
    assert [row.amount_cents for row in user.rows("deposits")] == [70]


def test_money_is_paid_in_once_for_each_deposit_into_one_account(user: Workbench) -> None:
    user.work(lambda session: till.deposit(session, RICH, 7, uuid4()))
    other, deposit_id = money(user, RICH), uuid4()
    for _ in range(2):
        assert user.work(lambda session: till.deposit(session, POOR, 30, deposit_id)).balance_cents == 30
    with pytest.raises(KeyReused, match="30 cents"):
        user.work(lambda session: till.deposit(session, POOR, 31, deposit_id))
    assert money(user, POOR) == ("Poor", 30, 0, 0, 30) and money(user, RICH) == other
    [paid] = user.rows("deposits", user_id=POOR)
    assert (paid.id, paid.user_id, paid.amount_cents) == (deposit_id, POOR, 30)


def test_an_account_holds_no_more_than_can_be_counted(user: Workbench) -> None:
    with pytest.raises(Conflict, match="as much money as an account can hold"):
        user.work(lambda session: till.deposit(session, POOR, till.MOST_PAID_IN_CENTS + 1, uuid4()))
    user.work(lambda session: till.deposit(session, POOR, till.MOST_PAID_IN_CENTS, uuid4()))
    with pytest.raises(NotFound):
        user.work(lambda session: till.deposit(session, NOBODY, 1, uuid4()))
    assert len(user.rows("deposits")) == 1  # what is refused is not noted either


def test_one_customer_is_renamed_and_no_other(user: Workbench) -> None:
    assert user.work(lambda session: till.rename_user(session, POOR, "Poorer")).name == "Poorer"
    assert (money(user, POOR)[0], money(user, RICH)[0]) == ("Poorer", "Rich")


def test_an_account_that_was_used_is_not_closed(user: Workbench) -> None:
    with pytest.raises(Conflict, match="cents were paid in"):
        user.work(lambda session: till.delete_user(session, RICH))
    user.do("hold_funds", word("StockReserved", user_id=POOR))
    with pytest.raises(Conflict, match="orders were placed"):
        user.work(lambda session: till.delete_user(session, POOR))
    unused = user.work(lambda session: till.create_user(session, "Ada", 0, uuid4())).id
    user.work(lambda session: till.delete_user(session, unused))
    assert money(user, unused) is None and money(user, POOR) is not None
    with pytest.raises(NotFound):
        user.work(lambda session: till.delete_user(session, unused))

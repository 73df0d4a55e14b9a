"""Money is held, given back or spent: once, and never more than there is."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from patterns.amounts import transfer
from patterns.shop import FundsHeld, FundsRejected
from tests.unit.handlers.workbench import NOBODY, POOR, RICH, Workbench, word

ALL = 10**6


def money(bench: Workbench, user: int = RICH) -> tuple[int, int, int]:
    """Free, held, spent."""
    row = bench.row("users", id=user)
    assert row is not None
    return row.balance_cents, row.held_cents, row.spent_cents


def state(bench: Workbench, order_id: UUID) -> str:
    row = bench.row("holds", order_id=order_id)
    return "-" if row is None else row.state


def test_money_is_held_and_the_next_step_learns_all_it_needs(user: Workbench) -> None:
    goods = word("StockReserved", amount_cents=700)
    (said,) = user.do("hold_funds", goods)
    assert isinstance(said, FundsHeld)
    assert (said.user_id, said.amount_cents, said.lines) == (RICH, 700, goods.lines)
    assert money(user) == (ALL - 700, 700, 0)


@pytest.mark.parametrize(("who", "cents", "reason"), [
    (POOR, 1, f"user {POOR} has not enough money"),
    (RICH, ALL + 1, f"user {RICH} has not enough money"),
    (NOBODY, 1, f"user {NOBODY} does not exist"),
])
def test_money_that_is_not_there_is_refused_with_a_reason(user: Workbench, who: int, cents: int, reason: str) -> None:
    goods = word("StockReserved", user_id=who, amount_cents=cents)
    for _ in range(2):
        (said,) = user.do("hold_funds", goods)
        assert isinstance(said, FundsRejected) and said.reason == reason
    assert state(user, goods.order_id) == "REJECTED" and money(user) == (ALL, 0, 0)


def test_the_last_cent_can_be_held_once(user: Workbench) -> None:
    assert user.do("hold_funds", word("StockReserved", amount_cents=ALL))[0].type == "FundsHeld"
    assert user.do("hold_funds", word("StockReserved", amount_cents=1))[0].type == "FundsRejected"
    assert money(user) == (0, ALL, 0)


def test_money_is_never_given_back_that_is_not_held(user: Workbench) -> None:
    with pytest.raises(IntegrityError):
        user.work(lambda session: transfer(session, user.table("users"), RICH, "held_cents", "balance_cents", 1))
    assert money(user) == (ALL, 0, 0)


def test_what_costs_nothing_needs_no_money(user: Workbench) -> None:
    assert user.do("hold_funds", word("StockReserved", user_id=POOR, amount_cents=0))[0].type == "FundsHeld"


def test_a_duplicate_gets_the_stored_answer_and_holds_nothing_more(user: Workbench) -> None:
    goods = word("StockReserved", amount_cents=700)
    first = user.do("hold_funds", goods)
    assert user.do("hold_funds", goods) == first and money(user) == (ALL - 700, 700, 0)
    user.do("spend_funds", word("OrderConfirmed", goods.order_id))
    assert user.do("hold_funds", goods) == first and money(user) == (ALL - 700, 0, 700)


@pytest.mark.parametrize("undo", ["PaymentFailed", "PaymentRefunded"])
def test_money_is_given_back_once(user: Workbench, undo: str) -> None:
    goods = word("StockReserved", amount_cents=700)
    user.do("hold_funds", goods)
    for _ in range(3):
        assert [said.type for said in user.do("release_funds", word(undo, goods.order_id))] == ["FundsReleased"]
        assert money(user) == (ALL, 0, 0)
    assert state(user, goods.order_id) == "RELEASED"
    assert user.do("hold_funds", goods)[0].type == "FundsRejected" and money(user) == (ALL, 0, 0)


def test_an_undo_that_comes_first_leaves_a_tombstone(user: Workbench) -> None:
    goods = word("StockReserved")
    assert [said.type for said in user.do("release_funds", word("PaymentRefunded", goods.order_id))] == ["FundsReleased"]
    (late,) = user.do("hold_funds", goods)
    assert isinstance(late, FundsRejected) and late.reason == "the order was undone before"
    assert state(user, goods.order_id) == "VOID" and money(user) == (ALL, 0, 0)


def test_money_is_spent_once_and_never_given_back(user: Workbench) -> None:
    goods = word("StockReserved", amount_cents=700)
    user.do("hold_funds", goods)
    spend, release = ("spend_funds", "OrderConfirmed"), ("release_funds", "PaymentRefunded")
    for handler, message in (spend, spend, release):
        user.do(handler, word(message, goods.order_id))
        assert money(user) == (ALL - 700, 0, 700)


def test_a_refused_hold_is_not_spent(user: Workbench) -> None:
    goods = word("StockReserved", user_id=POOR)
    user.do("hold_funds", goods)
    assert user.do("spend_funds", word("OrderConfirmed", goods.order_id)) == ()
    assert money(user, POOR) == (0, 0, 0) and state(user, goods.order_id) == "REJECTED"


# -- whatever comes, in whatever order: the accounts say what the holds say


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    bench = Workbench("user", tmp_path_factory.mktemp("busy"))
    yield bench
    bench.database.close()


HEARD = st.sampled_from(
    ["hold_funds StockReserved", "release_funds PaymentFailed", "release_funds PaymentRefunded",
     "spend_funds OrderConfirmed"]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(HEARD, st.integers(0, 2), st.integers(0, ALL // 2)), max_size=12))
def test_money_is_conserved(busy: Workbench, story: list[tuple[str, int, int]]) -> None:
    orders = [uuid4() for _ in range(3)]
    for heard, which, cents in story:
        handler, message = heard.split()
        fields = {"amount_cents": cents} if message == "StockReserved" else {}
        busy.do(handler, word(message, orders[which], **fields))
    in_state = {"HELD": 0, "SPENT": 0}
    for hold in busy.rows("holds"):
        if hold.state in in_state:
            in_state[hold.state] += hold.amount_cents
    balance, held, spent = money(busy)
    assert (held, spent) == (in_state["HELD"], in_state["SPENT"])
    assert balance == ALL - held - spent

"""The order's row decides: the first ending wins, the loser of a race says nothing, a settled status never changes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from order import crud
from order.main import sweep_deadlines
from patterns.errors import Conflict, Gone, KeyReused, NotFound, Unreadable
from patterns.message import Message
from patterns.pages import Page
from patterns.place_order import PlaceOrder
from patterns.service import Service
from patterns.settings import configure
from patterns.shop import CancelOrder, Line, OrderCancelled, OrderFailed, OrderPlaced, OrderStatus
from tests.unit.handlers.workbench import PENCIL, RICH, SOLD_OUT, Workbench, word

ENDINGS = {
    "confirm": "DeliveryScheduled", "fail": "FundsRejected", "fail_and_unwind": "PaymentFailed", "cancel": "CancelOrder",
}


def place(bench: Workbench, **fields: Any) -> UUID:
    """An order that is under way."""
    order_id = uuid4()
    bench.do("place_order", word(PlaceOrder, order_id, **fields))
    return order_id


def row(bench: Workbench, order_id: UUID) -> Any:
    return bench.row("orders", id=order_id)


def events(bench: Workbench, order_id: UUID) -> list[tuple[str, str]]:
    """What the history says, with how far the saga was."""
    return [(entry.event, entry.saga_state) for entry in bench.rows("history", order_id=order_id)]


# -- placing


def test_an_order_is_accepted_with_its_lines_and_its_mode(order: Workbench) -> None:
    lines = (Line(product_id=PENCIL, quantity=2), Line(product_id=SOLD_OUT, quantity=1))
    wish = word(PlaceOrder, lines=lines, mode="saga", amount_cents=750)
    (said,) = order.do("place_order", wish)
    assert said == OrderPlaced(order_id=wish.order_id, user_id=RICH, lines=lines, amount_cents=750, mode="saga")
    placed = row(order, wish.order_id)
    assert (placed.status, placed.mode, placed.saga_state) == ("PROCESSING", "saga", "STARTED")
    kept = [(line.product_id, line.quantity) for line in order.rows("order_lines", order_id=wish.order_id)]
    assert kept == [(PENCIL, 2), (SOLD_OUT, 1)]
    assert events(order, wish.order_id) == [("OrderPlaced", "STARTED")]


def test_an_order_is_shown_with_its_own_lines_by_product(order: Workbench) -> None:
    pencils = Line(product_id=PENCIL, quantity=2)
    first, second = place(order, lines=(pencils,)), place(order, lines=(Line(product_id=SOLD_OUT, quantity=1), pencils))
    shown = [order.database.read(crud.get_order, order_id)["lines"] for order_id in (first, second)]
    two, one = {"product_id": PENCIL, "quantity": 2}, {"product_id": SOLD_OUT, "quantity": 1}
    assert shown == [[two], [two, one]]


def test_an_order_whose_lines_are_known_is_shown_with_these(order: Workbench) -> None:
    order_id, known = place(order), [Line(product_id=7, quantity=7)]
    read = order.database.read(crud.get_order, order_id)
    assert order.database.read(crud.get_order, order_id, known) == {**read, "lines": known}


def test_orders_are_listed_with_their_lines_by_what_they_must_be_or_all_but_the_deleted(order: Workbench) -> None:
    saga, topic, deleted = (place(order, mode=mode) for mode in ("saga", "topic", "topic"))
    for done in (topic, deleted):
        order.do("confirm", word("DeliveryScheduled", done))
    order.work(lambda session: crud.delete_order(session, deleted))

    def listed(**having: object) -> list[Any]:
        return order.database.read(crud.list_orders, Page(), having)

    assert {one["id"] for one in listed()} == {saga, topic} == {one["id"] for one in listed(mode=None)}
    assert listed(mode="saga") == [order.database.read(crud.get_order, saga)]
    assert listed(mode="saga", status="FAILED") == []


def test_its_history_is_its_own_in_time(order: Workbench) -> None:
    order_id, other = place(order), place(order)
    for one in (other, order_id):
        order.do("confirm", word("DeliveryScheduled", one))
    found = order.database.read(crud.get_history, order_id)
    assert [(entry.order_id, entry.event) for entry in found] == [
        (order_id, "OrderPlaced"), (order_id, "DeliveryScheduled")]


def test_only_an_order_of_mode_saga_has_a_saga_which_is_itself_and_its_history(order: Workbench) -> None:
    saga, topic = place(order, mode="saga"), place(order, mode="topic")
    assert order.database.read(crud.get_saga, saga) == (
        order.database.read(crud.get_order, saga), order.database.read(crud.get_history, saga))
    with pytest.raises(NotFound, match="has no saga: it travels in mode topic"):
        order.database.read(crud.get_saga, topic)


@pytest.mark.parametrize("read", [crud.get_order, crud.get_history, crud.get_saga])
def test_an_order_that_nobody_placed_is_not_found(read: Any, order: Workbench) -> None:
    place(order, mode="saga")
    with pytest.raises(NotFound):
        order.database.read(read, uuid4())


def test_placing_it_again_changes_nothing(order: Workbench) -> None:
    wish = word(PlaceOrder)
    order.do("place_order", wish)
    before = row(order, wish.order_id)
    assert order.do("place_order", wish) == ()
    assert row(order, wish.order_id) == before and len(events(order, wish.order_id)) == 1


@pytest.mark.parametrize("other", [
    {"user_id": 7}, {"lines": (Line(product_id=PENCIL, quantity=3),)}, {"amount_cents": 1},
    {"mode": "saga", "chosen_mode": "saga"},
], ids=str)
def test_another_order_under_the_same_key_is_refused(order: Workbench, other: dict[str, Any]) -> None:
    order_id = place(order)
    with pytest.raises(KeyReused):
        order.do("place_order", word(PlaceOrder, order_id, **other))
    assert events(order, order_id) == [("OrderPlaced", "STARTED")]


def test_the_same_order_is_the_same_though_the_shop_has_changed_its_mode(order: Workbench) -> None:
    order_id = place(order, mode="topic")
    assert order.do("place_order", word(PlaceOrder, order_id, mode="saga")) == ()
    assert row(order, order_id).mode == "topic"


@pytest.mark.parametrize("handler", ["place_order", "place_order_and_tell"])
def test_a_deleted_orders_key_is_not_free_again(order: Workbench, handler: str) -> None:
    wish = word(PlaceOrder)
    order.do("place_order", wish)
    order.do("confirm", word("DeliveryScheduled", wish.order_id))
    order.work(lambda session: crud.delete_order(session, wish.order_id))
    deleted = row(order, wish.order_id)
    for again in (wish, word(PlaceOrder, wish.order_id, user_id=7)):
        with pytest.raises(Gone, match="is deleted"):
            order.do(handler, again)
    assert row(order, wish.order_id) == deleted


UNFINISHED: dict[str, tuple[str, ...]] = {
    "under way": (), "undone before it failed": ("close",), "failed, not undone": ("fail",),
    "cancelled, not undone": ("cancel",),
}


@pytest.mark.parametrize("kind", UNFINISHED)
def test_an_order_that_is_not_done_with_is_not_deleted(order: Workbench, kind: str) -> None:
    order_id = place(order)
    for handler in UNFINISHED[kind]:
        order.do(handler, word({"close": "StockReleased"}.get(handler) or ENDINGS[handler], order_id))
    before = row(order, order_id)
    with pytest.raises(Conflict, match=before.status):
        order.work(lambda session: crud.delete_order(session, order_id))
    assert row(order, order_id) == before


@pytest.mark.parametrize("endings", [("confirm",), ("fail", "close"), ("close", "cancel")], ids=str)
def test_an_order_that_is_done_with_is_deleted_once_and_decides_as_before(
    order: Workbench, endings: tuple[str, ...]
) -> None:
    order_id = place(order)
    for handler in endings:
        order.do(handler, word({"close": "StockReleased"}.get(handler) or ENDINGS[handler], order_id))
    order.work(lambda session: crud.delete_order(session, order_id))
    deleted = row(order, order_id)
    with pytest.raises(Gone):
        order.work(lambda session: crud.delete_order(session, order_id))
    for handler, message in ENDINGS.items():  # whatever comes late
        assert order.do(handler, word(message, order_id)) == ()
    assert row(order, order_id) == deleted


def test_the_deadline_is_set_by_the_databases_clock_and_only_open_orders_are_overdue(tmp_path: Path) -> None:
    time = [1000.0]
    bench = Workbench("order", tmp_path, lambda: time[0])
    configure(order_deadline_seconds=30)
    first, settled = place(bench), place(bench)
    time[0] += 10
    second = place(bench)
    bench.do("confirm", word("DeliveryScheduled", settled))
    assert row(bench, first).deadline_at == 1030
    for at, overdue in ((1029.9, []), (1030.0, [first]), (1041.0, [first, second])):
        time[0] = at
        assert bench.database.read(crud.overdue, 10) == overdue
    bench.database.close()


def test_a_sweep_takes_a_few_the_longest_overdue_first(tmp_path: Path) -> None:
    time = [1000.0]
    bench = Workbench("order", tmp_path, lambda: time[0])
    configure(order_deadline_seconds=30)
    patient = place(bench)
    configure(order_deadline_seconds=10)
    hasty = place(bench)
    time[0] += 60
    assert [bench.database.read(crud.overdue, most) for most in (1, 2)] == [[hasty], [hasty, patient]]
    wishes: list[CancelOrder] = []
    sweep_deadlines(cast("Service", SimpleNamespace(database=bench.database, perform=wishes.append)))
    assert [(wish.order_id, wish.reason) for wish in wishes] == [
        (order_id, "not settled before its deadline") for order_id in (hasty, patient)]
    bench.database.close()


# -- endings


def test_a_delivered_order_is_a_success_with_its_amount(order: Workbench) -> None:
    order_id = place(order)
    (said,) = order.do("confirm", word("DeliveryScheduled", order_id, amount_cents=700))
    assert (said.type, said.user_id) == ("OrderConfirmed", RICH)
    settled = row(order, order_id)
    assert (settled.status, settled.amount_cents, settled.saga_state) == ("SUCCESS", 700, "COMPLETED")
    assert settled.settled_at is not None and settled.undone_at is None
    assert events(order, order_id)[-1] == ("DeliveryScheduled", "COMPLETED")


@pytest.mark.parametrize(("refusal", "undone", "saga_state"), [
    ("StockRejected", True, "COMPENSATED"), ("FundsRejected", False, "COMPENSATING"),
    ("PaymentFailed", False, "COMPENSATING"), ("DeliveryFailed", False, "COMPENSATING"),
])
@pytest.mark.parametrize("handler", ["fail", "fail_and_unwind"])
def test_a_refused_order_has_failed_for_that_reason(
    order: Workbench, handler: str, refusal: str, undone: bool, saga_state: str
) -> None:
    order_id = place(order)
    message = word(refusal, order_id, reason="no, thank you")
    said = order.do(handler, message)
    assert said[0] == OrderFailed(order_id=order_id, reason="no, thank you", user_id=RICH)
    passed_on: tuple[Message, ...] = (message,) if handler == "fail_and_unwind" and refusal != "StockRejected" else ()
    assert said[1:] == passed_on
    failed = row(order, order_id)
    assert (failed.status, failed.reason, failed.saga_state) == ("FAILED", "no, thank you", saga_state)
    assert (failed.undone_at is not None) is undone
    assert order.rows("history", order_id=order_id)[-1].reason == "no, thank you"


def test_a_cancelled_order_has_failed_and_travels_in_its_own_mode(order: Workbench) -> None:
    order_id = place(order, mode="saga")
    (said,) = order.do("cancel", word(CancelOrder, order_id, reason="too late"))
    assert said == OrderCancelled(order_id=order_id, reason="too late", user_id=RICH, mode="saga")
    assert said.said_in("default") == "saga"
    assert (row(order, order_id).status, row(order, order_id).reason) == ("FAILED", "too late")


@pytest.mark.parametrize("first", ENDINGS)
@pytest.mark.parametrize("second", ENDINGS)
def test_the_first_ending_wins_and_the_loser_says_nothing(order: Workbench, first: str, second: str) -> None:
    order_id = place(order)
    assert order.do(first, word(ENDINGS[first], order_id)) != ()
    settled, told = row(order, order_id), events(order, order_id)
    assert order.do(second, word(ENDINGS[second], order_id)) == ()
    assert (row(order, order_id), events(order, order_id)) == (settled, told)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_order_that_does_not_exist_does_not_end(order: Workbench, ending: str) -> None:
    assert order.do(ending, word(ENDINGS[ending])) == ()
    assert order.rows("orders") == [] and order.rows("history") == []


def test_the_undo_is_noted_once_and_changes_no_status(order: Workbench) -> None:
    order_id = place(order)
    order.do("cancel", word(CancelOrder, order_id))
    for _ in range(2):
        assert order.do("close", word("StockReleased", order_id)) == ()
    closed = row(order, order_id)
    assert (closed.status, closed.saga_state) == ("FAILED", "COMPENSATED") and closed.undone_at is not None
    assert [event for event, _ in events(order, order_id)] == ["OrderPlaced", "OrderCancelled", "StockReleased"]


def test_the_undo_may_be_heard_of_before_the_failure(order: Workbench) -> None:
    order_id = place(order)
    order.do("close", word("StockReleased", order_id))
    order.do("fail", word("FundsRejected", order_id))
    closed = row(order, order_id)
    assert (closed.status, closed.saga_state) == ("FAILED", "COMPENSATED") and closed.undone_at is not None


def test_a_success_is_never_undone(order: Workbench) -> None:
    order_id = place(order)
    order.do("confirm", word("DeliveryScheduled", order_id))
    order.do("close", word("StockReleased", order_id))
    assert (row(order, order_id).undone_at, row(order, order_id).saga_state) == (None, "COMPLETED")


# -- the orchestrator's part


@pytest.mark.parametrize(("done", "saga_state"), [
    ("StockReserved", "STOCK_RESERVED"), ("FundsHeld", "FUNDS_HELD"), ("PaymentTaken", "PAYMENT_TAKEN"),
])
def test_a_step_that_is_done_is_passed_on_while_the_order_is_open(order: Workbench, done: str, saga_state: str) -> None:
    order_id = place(order)
    message = word(done, order_id)
    assert order.do("advance", message) == (message,)
    assert row(order, order_id).saga_state == saga_state
    assert events(order, order_id)[1:] == [(done, saga_state)]
    order.do("cancel", word(CancelOrder, order_id))
    told = events(order, order_id)
    assert order.do("advance", message) == ()
    assert row(order, order_id).saga_state == "COMPENSATING" and events(order, order_id) == told


@pytest.mark.parametrize("undone", ["DeliveryCancelled", "PaymentRefunded", "FundsReleased"])
def test_an_undone_step_is_always_passed_on(order: Workbench, undone: str) -> None:
    order_id = place(order)
    order.do("cancel", word(CancelOrder, order_id))
    message = word(undone, order_id)
    for _ in range(2):
        assert order.do("unwind", message) == (message,)
        assert events(order, order_id)[-1] == (message.type, "COMPENSATING")
    assert row(order, order_id).status == "FAILED"


# -- the front doors of mode rpc


def test_the_doors_tell_how_an_order_stands(order: Workbench) -> None:
    wish = word(PlaceOrder, mode="rpc")
    placed = order.do("place_order_and_tell", wish)
    assert [said.type for said in placed] == ["OrderPlaced", "OrderStatus"]
    assert placed[1] == OrderStatus(order_id=wish.order_id, status="PROCESSING")
    order.do("confirm", word("DeliveryScheduled", wish.order_id))
    assert order.do("place_order_and_tell", wish) == (OrderStatus(order_id=wish.order_id, status="SUCCESS"),)
    assert order.do("cancel_and_tell", word(CancelOrder, wish.order_id)) == (
        OrderStatus(order_id=wish.order_id, status="SUCCESS"),
    )


def test_cancelling_by_message_tells_the_reason(order: Workbench) -> None:
    order_id = place(order)
    said = order.do("cancel_and_tell", word(CancelOrder, order_id, reason="too late"))
    assert [one.type for one in said] == ["OrderCancelled", "OrderStatus"]
    assert said[1] == OrderStatus(order_id=order_id, status="FAILED", reason="too late")


def test_cancelling_what_does_not_exist_cannot_be_answered(order: Workbench) -> None:
    with pytest.raises(Unreadable, match="does not exist"):
        order.do("cancel_and_tell", word(CancelOrder, uuid4()))

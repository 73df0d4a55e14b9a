"""A parcel gets its slot, or none, and loses it: once."""

from __future__ import annotations

from uuid import UUID

from patterns.settings import configure
from patterns.shop import DeliveryFailed, DeliveryScheduled
from tests.unit.handlers.workbench import RICH, Workbench, word


def state(bench: Workbench, order_id: UUID) -> str:
    row = bench.row("deliveries", order_id=order_id)
    return "-" if row is None else row.state


def test_a_parcel_gets_its_slot_once(delivery: Workbench) -> None:
    paid = word("PaymentTaken", amount_cents=700)
    first = delivery.do("schedule_delivery", paid)
    assert isinstance(first[0], DeliveryScheduled) and first[0].amount_cents == 700
    assert delivery.do("schedule_delivery", paid) == first
    row = delivery.row("deliveries", order_id=paid.order_id)
    assert row is not None and (row.state, row.user_id) == ("SCHEDULED", RICH)


def test_what_the_carrier_once_refused_stays_refused(delivery: Workbench) -> None:
    paid = word("PaymentTaken")
    configure(delivery_failure_rate=1)
    first = delivery.do("schedule_delivery", paid)
    assert isinstance(first[0], DeliveryFailed) and first[0].reason == "the carrier takes no parcel for this order"
    configure(delivery_failure_rate=0)
    assert delivery.do("schedule_delivery", paid) == first
    assert state(delivery, paid.order_id) == "FAILED"


def test_a_slot_is_taken_back_once(delivery: Workbench) -> None:
    paid = word("PaymentTaken")
    delivery.do("schedule_delivery", paid)
    for _ in range(3):
        said = delivery.do("cancel_delivery", word("OrderCancelled", paid.order_id))
        assert [one.type for one in said] == ["DeliveryCancelled"]
        assert state(delivery, paid.order_id) == "CANCELLED"
    assert delivery.do("schedule_delivery", paid)[0].type == "DeliveryFailed"


def test_a_cancellation_that_comes_first_leaves_a_tombstone(delivery: Workbench) -> None:
    paid = word("PaymentTaken")
    assert delivery.do("cancel_delivery", word("OrderCancelled", paid.order_id))[0].type == "DeliveryCancelled"
    (late,) = delivery.do("schedule_delivery", paid)
    assert isinstance(late, DeliveryFailed) and late.reason == "the order was undone before"
    assert state(delivery, paid.order_id) == "VOID"


def test_a_refused_parcel_is_not_cancelled_and_still_answered(delivery: Workbench) -> None:
    paid = word("PaymentTaken")
    configure(delivery_failure_rate=1)
    delivery.do("schedule_delivery", paid)
    assert delivery.do("cancel_delivery", word("OrderCancelled", paid.order_id))[0].type == "DeliveryCancelled"
    assert state(delivery, paid.order_id) == "FAILED"

"""A payment is captured or declined as the gateway says, and given back: once."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from patterns import gateway
from patterns.gateway import Verdict
from patterns.settings import configure
from patterns.shop import PaymentFailed, PaymentTaken
from payment.mqlistener import ask_gateway
from tests.unit.handlers.workbench import RICH, Workbench, word

YES, NO = Verdict(), Verdict("the payment gateway declined")


def state(bench: Workbench, order_id: UUID) -> str:
    row = bench.row("payments", order_id=order_id)
    return "-" if row is None else row.state


def test_an_authorised_payment_is_captured(payment: Workbench) -> None:
    held = word("FundsHeld", amount_cents=700)
    (said,) = payment.do("take_payment", held, YES)
    assert isinstance(said, PaymentTaken)
    assert (said.user_id, said.amount_cents, said.lines) == (RICH, 700, held.lines)
    row = payment.row("payments", order_id=held.order_id)
    assert row is not None and (row.state, row.amount_cents, row.user_id) == ("TAKEN", 700, RICH)


def test_a_declined_payment_fails_with_the_gateways_reason(payment: Workbench) -> None:
    held = word("FundsHeld")
    (said,) = payment.do("take_payment", held, NO)
    assert isinstance(said, PaymentFailed) and said.reason == "the payment gateway declined"
    assert state(payment, held.order_id) == "FAILED"


@pytest.mark.parametrize(("first", "later"), [(YES, NO), (NO, YES)], ids=["taken stays taken", "failed stays failed"])
def test_the_first_verdict_counts(payment: Workbench, first: Verdict, later: Verdict) -> None:
    held = word("FundsHeld")
    answer = payment.do("take_payment", held, first)
    assert payment.do("take_payment", held, later) == answer
    assert payment.do("take_payment", held, first) == answer


@pytest.mark.parametrize("undo", ["DeliveryFailed", "DeliveryCancelled"])
def test_a_payment_is_given_back_once_without_asking_the_gateway(payment: Workbench, undo: str) -> None:
    held = word("FundsHeld")
    payment.do("take_payment", held, YES)
    for _ in range(3):
        assert [said.type for said in payment.do("refund_payment", word(undo, held.order_id))] == ["PaymentRefunded"]
        assert state(payment, held.order_id) == "REFUNDED"
    assert payment.do("take_payment", held, YES)[0].type == "PaymentFailed"
    assert state(payment, held.order_id) == "REFUNDED"


def test_an_undo_that_comes_first_leaves_a_tombstone(payment: Workbench) -> None:
    held = word("FundsHeld")
    payment.do("refund_payment", word("DeliveryCancelled", held.order_id))
    (late,) = payment.do("take_payment", held, YES)
    assert isinstance(late, PaymentFailed) and late.reason == "the order was undone before"
    assert state(payment, held.order_id) == "VOID"


def test_a_failed_payment_is_not_refunded_and_still_answered(payment: Workbench) -> None:
    held = word("FundsHeld")
    payment.do("take_payment", held, NO)
    assert payment.do("refund_payment", word("DeliveryCancelled", held.order_id))[0].type == "PaymentRefunded"
    assert state(payment, held.order_id) == "FAILED"


def test_the_gateway_gives_the_same_verdict_again_and_declines_as_often_as_it_is_set_to() -> None:
    configure(payment_failure_rate=0.25)
    orders = [uuid4() for _ in range(2000)]
    verdicts = [gateway.authorise(order_id) for order_id in orders]
    assert [ask_gateway(word("FundsHeld", order_id)) for order_id in orders] == verdicts
    assert 0.2 < sum(not verdict.accepted for verdict in verdicts) / len(verdicts) < 0.3


@pytest.mark.parametrize(("rate", "accepted"), [(0, True), (1, False)])
def test_a_rate_of_none_or_all_has_no_exceptions(rate: float, accepted: bool) -> None:
    configure(payment_failure_rate=rate)
    assert {gateway.authorise(uuid4()).accepted for _ in range(200)} == {accepted}


def test_another_seed_gives_other_verdicts() -> None:
    orders = [uuid4() for _ in range(200)]
    configure(payment_failure_rate=0.5, verdict_seed="one")
    first = [gateway.authorise(order_id) for order_id in orders]
    configure(payment_failure_rate=0.5, verdict_seed="two")
    assert [gateway.authorise(order_id) for order_id in orders] != first


def test_in_every_mode_the_gateway_is_asked_before_a_payment_is_taken(payment: Workbench) -> None:
    asked = {mode: [line.preparation for line in wiring.lines if line.handler is payment.handlers.take_payment]
             for mode, wiring in payment.handlers.WIRING.items()}
    assert {mode: [one and one.__name__ for one in some] for mode, some in asked.items()} == {
        mode: ["ask_gateway"] for mode in asked}

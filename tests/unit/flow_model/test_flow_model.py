"""Every order, in every mode, keeps its promises: whatever is refused, cancelled, late, lost or heard twice.

Exhaustive for one order.  The routes are those of the real wirings, and the machine is held against the real handlers
(``test_machine_is_real.py``).  The mutants show what each defence is good for.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from patterns.settings import MODES
from tests.unit.flow_model import mutants
from tests.unit.flow_model.copies import Copies
from tests.unit.flow_model.explorer import Found, explore, explore_to_the_end
from tests.unit.flow_model.identities import Identities
from tests.unit.flow_model.machine import Machine, Rows
from tests.unit.flow_model.promises import ALL_FOUR
from tests.unit.flow_model.questions import Questions
from tests.unit.flow_model.routes import Routes, plain, routes_of

CHOREOGRAPHY, CENTRAL = plain(routes_of("topic")), plain(routes_of("saga"))
FLOWS = pytest.mark.parametrize("routes", [CHOREOGRAPHY, CENTRAL], ids=["choreography", "central"])

WHOLE = os.environ.get("FLOW_MODEL") == "whole"


def test_six_modes_are_two_flows() -> None:
    assert {mode: plain(routes_of(mode)) for mode in MODES} == {
        "rpc": CENTRAL, "saga": CENTRAL,
        "default": CHOREOGRAPHY, "fanout": CHOREOGRAPHY, "direct": CHOREOGRAPHY, "topic": CHOREOGRAPHY,
    }
    assert (len(CHOREOGRAPHY), len(CENTRAL)) == (19, 25)


def no_promise_is_broken(found: Found, states: int) -> None:
    """Nothing wrong, nothing stuck; one way to succeed; and really so many states were visited."""
    assert found.violation is None and found.stuck is None, str(found)
    assert [rows for rows in found.endings if rows.order == "SUCCESS"] == [Rows("SUCCESS", False, *ALL_FOUR)]
    assert len(found.endings) in (5, 13)  # a success and each step's refusal; with cancellation at any time more
    assert found.states >= states, str(found)


@FLOWS
@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled any time", "never cancelled"])
def test_with_inbox_and_outbox(routes: Routes, cancel: bool) -> None:
    no_promise_is_broken(explore_to_the_end(Identities(routes, cancel=cancel)), 250 if cancel else 30)


@FLOWS
@pytest.mark.parametrize("cancel", [True, False], ids=["cancelled any time", "never cancelled"])
def test_when_anything_said_may_be_heard_again_at_any_time(routes: Routes, cancel: bool) -> None:
    no_promise_is_broken(explore_to_the_end(Identities(routes, replays=True, cancel=cancel)), 1000 if cancel else 100)


def test_with_late_copies_and_no_inbox() -> None:
    no_promise_is_broken(explore(Copies(CHOREOGRAPHY)), 400_000)


@pytest.mark.skipif(not WHOLE, reason="4 million states take two minutes: set FLOW_MODEL=whole; replays cover the same")
@pytest.mark.timeout(900)
def test_with_late_copies_and_no_inbox_central() -> None:
    no_promise_is_broken(explore(Copies(CENTRAL)), 3_000_000)


def test_rpc_asks_until_it_is_answered() -> None:
    no_promise_is_broken(explore_to_the_end(Questions(routes_of("rpc"))), 2000)


# -- what the defences are good for


def broken_by(found: Found, complaint: str) -> bool:
    """Whether this is what went wrong."""
    return complaint in (found.violation or found.stuck or "")


@pytest.mark.parametrize(("machine", "in_choreography", "in_central"), [
    (mutants.NoTombstone, "a payment is captured, and no funds are held", "the order has FAILED for ever with ('RESERVED'"),
    (mutants.SilentUndo, "never learns that all is undone", "the order has FAILED for ever with ('RESERVED'"),
    (mutants.BlindConfirm, "is a SUCCESS, and not all four", "is a SUCCESS, and not all four"),
])
def test_a_machine_without_this_defence_breaks_a_promise(
    machine: type[Machine], in_choreography: str, in_central: str
) -> None:
    assert broken_by(explore(Identities(CHOREOGRAPHY, machine())), in_choreography)
    assert broken_by(explore(Copies(CHOREOGRAPHY, machine())), in_choreography)
    assert broken_by(explore(Identities(CENTRAL, machine())), in_central)
    assert broken_by(explore(Copies(CENTRAL, machine())), in_central)


@pytest.mark.parametrize(("mistake", "in_choreography", "in_central"), [
    (mutants.parallel_undo, "a payment is captured, and no funds are held", "a payment is captured, and no funds are held"),
    (mutants.unheard("FundsRejected", "release_stock"), "the order has FAILED for ever", "the order has FAILED for ever"),
    (mutants.unheard("PaymentRefunded", "release_funds"), "never learns that all is undone", "has FAILED for ever"),
    (mutants.unheard("StockReleased", "close"), "never learns that all is undone", "never learns that all is undone"),
], ids=["undo in parallel", "a refusal unheard by the step before", "an undo unheard", "the end of the undo unheard"])
def test_routes_with_this_mistake_break_a_promise(
    mistake: Callable[[Routes], Routes], in_choreography: str, in_central: str
) -> None:
    assert broken_by(explore(Identities(mistake(CHOREOGRAPHY))), in_choreography)
    assert broken_by(explore(Identities(mistake(CENTRAL))), in_central)


@pytest.mark.parametrize(("routes", "handler"), [(CHOREOGRAPHY, "fail"), (CENTRAL, "fail_and_unwind")])
def test_a_refusal_unheard_by_the_order_leaves_it_to_its_deadline(routes: Routes, handler: str) -> None:
    deaf = mutants.unheard("FundsRejected", handler)(routes)
    assert explore(Identities(deaf)).violation is None
    assert broken_by(explore(Identities(deaf, cancel=False)), "the order never ends")


def test_rpc_without_a_stored_answer_asks_for_ever() -> None:
    found = explore_to_the_end(Questions(routes_of("rpc"), mutants.NoStoredAnswer()))
    assert broken_by(found, "can never become quiet, the nearest: order's OrderPlaced -> reserve_stock, the reply is lost")


def test_rpc_with_an_inbox_that_swallows_questions_asks_for_ever() -> None:
    found = explore_to_the_end(Questions(routes_of("rpc"), inbox=True))
    assert broken_by(found, "can never become quiet, the nearest: order's OrderPlaced -> reserve_stock, the reply is lost")


def test_rpc_that_takes_sent_for_answered_forgets_orders() -> None:
    found = explore_to_the_end(Questions(routes_of("rpc"), done_when_sent=True))
    assert broken_by(found, "the order has FAILED, and never learns that all is undone")


@pytest.mark.parametrize(("machine", "routes"), [
    (mutants.YesToTheUndone, CHOREOGRAPHY), (mutants.YesToTheUndone, CENTRAL), (mutants.EagerAdvance, CENTRAL),
    (mutants.BlindFail, CHOREOGRAPHY), (mutants.BlindFail, CENTRAL),
])
def test_a_defence_that_another_one_covers(machine: type[Machine], routes: Routes) -> None:
    # Taken away alone these break nothing: tombstones, ids and guards stand behind them.  They spare messages.
    assert explore(Identities(routes, machine(), replays=machine is not mutants.BlindFail)).violation is None


@pytest.mark.parametrize("handler", ["confirm", "fail", "cancel", "fail_and_unwind", "close", "advance", "unwind"])
@pytest.mark.parametrize("status", ["SUCCESS", "FAILED"])
def test_a_settled_status_never_changes(handler: str, status: str) -> None:
    for message in ("StockRejected", "DeliveryFailed", "DeliveryScheduled", "StockReleased"):
        after, _ = Machine().react(Rows(status), handler, message)
        assert after.order == status

"""The models' machine does what the real handlers do: every row state × every message × done or refused.

Each case puts real tables into a state by letting the real handlers hear messages, lets one more be heard, and
compares row and answers with the machine's.  So what the models prove of the machine is true of the services.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from lab.shop import wirings_in
from patterns.gateway import Verdict
from patterns.hops import CLIENT, hops
from patterns.settings import MODES, configure
from patterns.shop import SERVICES
from tests.unit.flow_model.machine import FINISHES, REQUESTS, UNDOS, Machine, Rows
from tests.unit.flow_model.promises import always
from tests.unit.handlers.workbench import POOR, SOLD_OUT, Workbench, word

Heard = tuple[str, str, bool]
"""A handler, the type of the message, and whether the world refuses."""

TABLES = {"product": "reservations", "user": "holds", "payment": "payments", "delivery": "deliveries"}

FIRST = {"product": ("reserve_stock", "OrderPlaced"), "user": ("hold_funds", "StockReserved"),
         "payment": ("take_payment", "FundsHeld"), "delivery": ("schedule_delivery", "PaymentTaken")}
BACK = {"product": ("release_stock", "FundsReleased"), "user": ("release_funds", "PaymentRefunded"),
        "payment": ("refund_payment", "DeliveryCancelled"), "delivery": ("cancel_delivery", "OrderCancelled")}


def ways_there(service: str) -> dict[Rows, list[Heard]]:
    """For each state that a service's row can be in, what must have been heard to get there."""
    if service == "order":
        placed = ("place_order", "PlaceOrder", False)
        return {
            Rows(): [placed],
            Rows(undone=True): [placed, ("close", "StockReleased", False)],
            Rows("SUCCESS"): [placed, ("confirm", "DeliveryScheduled", False)],
            Rows("FAILED"): [placed, ("cancel", "CancelOrder", False)],
            Rows("FAILED", undone=True): [placed, ("fail", "StockRejected", False)],
        }
    first, back = (*FIRST[service], False), (*BACK[service], False)
    request, undo = REQUESTS[first[0]], UNDOS[back[0]]
    found = {"-": [], "VOID": [back], request.done: [first], request.refused: [(*FIRST[service], True)],
             undo.undone: [first, back]}
    for handler, finish in FINISHES.items():
        if finish.service == service:
            found[finish.finished] = [first, (handler, "OrderConfirmed", False)]
    return {Rows().changed(service, state): heard for state, heard in found.items()}


def heard_anywhere() -> list[tuple[str, str, str]]:
    """Every service, handler and type of message that any mode brings together."""
    found = {
        (hop.listener, hop.handler.__name__, hop.message.__name__)
        for mode in MODES for hop in hops(wirings_in(mode))
        if hop.speaker != CLIENT and Machine().knows(hop.handler.__name__)
    }
    return sorted({*found, ("order", "cancel", "CancelOrder")})


def cases() -> Iterator[Any]:
    """Every state × every message × done or refused."""
    for service, handler, message in heard_anywhere():
        for before, history in ways_there(service).items():
            for refuse in (False, True) if handler in REQUESTS else (False,):
                state = before.order + " undone" * before.undone if service == "order" else getattr(before, service)
                name = f"{service} {state}: {handler}({message}{', refused' * refuse})"
                yield pytest.param(service, before, history, (handler, message, refuse), id=name)


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Workbench]]:
    """Five services' tables, used by all cases: each case has an order of its own."""
    folder: Path = tmp_path_factory.mktemp("benches")
    made = {service: Workbench(service, folder) for service in SERVICES if service != "notification"}
    yield made
    for bench in made.values():
        bench.database.close()


def hear(bench: Workbench, heard: Heard, order_id: Any) -> tuple[str, ...]:
    """Let the real handler hear it; the types of what it says."""
    handler, message, refuse = heard
    fields: dict[str, Any] = {}
    if handler == "reserve_stock" and refuse:
        fields = {"lines": [{"product_id": SOLD_OUT, "quantity": 1}]}
    if handler == "hold_funds" and refuse:
        fields = {"user_id": POOR}
    if handler == "schedule_delivery":
        configure(delivery_failure_rate=1 if refuse else 0)
    verdict = [Verdict("declined" if refuse else None)] if handler == "take_payment" else []
    return tuple(said.type for said in bench.do(handler, word(message, order_id, **fields), *verdict))


def rows_of(bench: Workbench, order_id: Any) -> Rows:
    """What the real tables say about the order."""
    if bench.service == "order":
        order = bench.row("orders", id=order_id)
        assert order is not None
        return Rows(order.status, order.undone_at is not None)
    step = bench.row(TABLES[bench.service], order_id=order_id)
    return Rows() if step is None else Rows().changed(bench.service, step.state)


@pytest.mark.parametrize(("service", "before", "history", "heard"), list(cases()))
def test_machine_and_handler_agree(
    benches: dict[str, Workbench], service: str, before: Rows, history: list[Heard], heard: Heard
) -> None:
    bench, order_id = benches[service], uuid4()
    for earlier in history:
        hear(bench, earlier, order_id)
    assert rows_of(bench, order_id) == before

    after, said = Machine().react(before, *heard)
    if after.order == "SUCCESS" and after.undone:
        assert always(after) is not None  # the models show that this never comes up; the database refuses it, too
        with pytest.raises(IntegrityError, match="a_success_is_never_undone"):
            hear(bench, heard, order_id)
        assert rows_of(bench, order_id) == before
        return
    assert hear(bench, heard, order_id) == said
    assert rows_of(bench, order_id) == after


def test_every_handler_that_a_mode_hears_is_compared() -> None:
    compared = {handler for _, handler, _ in heard_anywhere()} | {"place_order"}
    everything = {hop.handler.__name__ for mode in MODES for hop in hops(wirings_in(mode))}
    assert everything - compared == {"notify", "place_order_and_tell", "cancel_and_tell"}

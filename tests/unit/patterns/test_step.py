"""A step's row: written once, changed only from the state it must be in."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from patterns import step
from patterns.database import now
from tests.unit.handlers.workbench import Workbench


def test_a_row_that_is_there_is_no_surprise_only_to_those_who_ask_for_it_once(tmp_path: Path) -> None:
    bench = Workbench("payment", tmp_path)
    payments = bench.table("payments")
    values = {"order_id": uuid4(), "state": "FAILED", "begun_at": now(), "changed_at": now()}
    assert bench.work(lambda session: step.insert_once(session, payments, **values))
    assert not bench.work(lambda session: step.insert_once(session, payments, **values))
    with pytest.raises(IntegrityError):
        bench.work(lambda session: step.insert(session, payments, **values))
    bench.database.close()


def test_only_what_is_in_the_named_state_is_moved_and_the_time_is_noted(tmp_path: Path) -> None:
    clock = [1000.0]
    bench = Workbench("payment", tmp_path, lambda: clock[0])
    payments, order_id = bench.table("payments"), uuid4()
    assert bench.work(lambda session: step.begin(session, payments, order_id, "TAKEN", amount_cents=5))
    clock[0] += 9
    assert bench.work(lambda session: step.move(session, payments, order_id, "REFUNDED", "FAILED")) is None
    moved = bench.work(lambda session: step.move(session, payments, order_id, "TAKEN", "REFUNDED", reason="because"))
    assert (moved.state, moved.reason, moved.amount_cents) == ("REFUNDED", "because", 5)
    assert (moved.begun_at, moved.changed_at) == (1000.0, 1009.0)
    assert bench.row("payments", order_id=order_id) == moved
    bench.database.close()

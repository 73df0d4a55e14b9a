"""What is asked before a transaction: by several at once, each guarded by a breaker of its own name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from patterns.address import Queue
from patterns.errors import NotAsked, ServerUnavailable
from patterns.hearing import Heard
from patterns.preparing import Preparing
from patterns.settings import configure
from patterns.shop import StockReserved
from patterns.wiring import Wiring
from tests.unit.handlers.workbench import word

MEETING = threading.Barrier(2)
SOON = 10.0


def ask(reserved: StockReserved) -> str:
    if reserved.amount_cents == 0:
        raise ServerUnavailable("away")
    MEETING.wait(SOON)
    return "yes"


def sell(session: Any, reserved: StockReserved, verdict: str) -> None:
    return


def close(session: Any, reserved: StockReserved) -> None:
    return


WIRINGS = {"default": Wiring(hears=((Queue("q"), sell, ask), (Queue("other"), close)))}
ASKING, SILENT = WIRINGS["default"].lines


@pytest.fixture
def preparing() -> Iterator[Preparing]:
    configure(gateway_calls_in_flight=2, breaker_failures=2)
    made = Preparing("payment", WIRINGS)
    yield made
    made.stop(wait=True)


def heard(line: Any, amount_cents: int = 5) -> Heard:
    return cast("Heard", SimpleNamespace(
        line=line, message=SimpleNamespace(amount_cents=amount_cents, order_id=word(StockReserved).order_id), verdict=None))


def test_several_are_asked_at_once_and_each_has_its_verdict(preparing: Preparing) -> None:
    batch = [heard(ASKING), heard(SILENT), heard(ASKING)]
    assert preparing.prepare(batch) == [(one, None) for one in batch]
    assert [one.verdict for one in batch] == ["yes", None, "yes"]


def test_who_is_away_is_left_alone_and_each_message_is_told_why(preparing: Preparing) -> None:
    batch = [heard(ASKING, 0) for _ in range(3)]
    errors = [preparing.prepare([one])[0][1] for one in batch]
    assert [type(error) for error in errors] == [ServerUnavailable, ServerUnavailable, NotAsked]
    assert {name: breaker.name for name, breaker in preparing.breakers.items()} == {"ask": "ask"}
    assert preparing.breakers["ask"].state == "open"


@pytest.mark.parametrize("wait", [True, False])
def test_whoever_stops_asks_nothing_more(wait: bool, preparing: Preparing, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, bool]] = []
    with monkeypatch.context() as patches:
        patches.setattr(preparing, "_workers", SimpleNamespace(shutdown=lambda **how: told.append(how)))
        preparing.stop(wait=wait)
    assert told == [{"wait": wait, "cancel_futures": True}]

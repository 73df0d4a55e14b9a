"""What can happen to a question, its answer, who asks and who is asked: each mishap at each step, exactly once, by name.

The places are found by what happens there, not by their number, so that other code before them changes nothing.  A client
is told a final status that stays so, or PROCESSING; never one that changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import pytest

from lab.simulation.faults import Visit
from lab.simulation.run import Result, simulate
from lab.simulation.workload import Wish, Workload
from patterns.runtime import runtime

DONE = {"product": "SOLD", "user": "SPENT", "payment": "TAKEN", "delivery": "SCHEDULED"}
UNDONE = {"product": "RELEASED", "user": "RELEASED", "payment": "REFUNDED", "delivery": "CANCELLED"}
STEPS = {  # who is asked: the question, the answer
    "product": ("OrderPlaced", "StockReserved"), "user": ("StockReserved", "FundsHeld"),
    "payment": ("FundsHeld", "PaymentTaken"), "delivery": ("PaymentTaken", "DeliveryScheduled"),
}
LONGER_THAN_ANYBODY_WAITS = 8.0


@dataclass
class Script:
    """What must happen, one after another, until something breaks: (place, whose task, what it is about)."""

    scenes: list[tuple[str, str, str]]
    fault: str
    number: int = 0
    played: list[Visit] = field(default_factory=list)

    @classmethod
    def of(cls, *written: tuple[str, str, str] | str, service: str) -> Script:
        meant = {"S": service, "S1": f"{service}1", "Q": STEPS[service][0], "A": STEPS[service][1]}
        *scenes, fault = written
        return cls([(where, meant.get(whose, whose), meant.get(about, about)) for where, whose, about in scenes], str(fault))

    def __call__(self, visit: Visit) -> str | None:
        if self.number == len(self.scenes):
            return None
        place, whose, about = self.scenes[self.number]
        if visit.place != place or whose not in (visit.process, f"{visit.process}/{visit.task}") or about not in visit.whose:
            return None
        self.number += 1
        self.played.append(visit)
        if self.number < len(self.scenes):
            return None
        if self.fault == "delay":
            runtime().event().wait(LONGER_THAN_ANYBODY_WAITS)  # for nothing: the simulated clock goes on
            return None
        return self.fault


ASKS = "order1/http"
"""The thread of the request that the client waits for; what is only announced is published by another."""

MISHAPS = {  # the scenes, with S for who is asked, Q for the question and A for the answer; what breaks in the last
    "the request is lost": (("publish", ASKS, "Q"), "publish lost"),
    "the reply is lost": (("publish", "S1", "A"), "publish lost"),
    "the reply comes after the time-out": (("take", "S1", "Q"), "delay"),
    "the server dies before its commit": (("take", "S1", "Q"), ("commit", "S1", "S"), "crash"),
    "the server dies after its commit": (("take", "S1", "Q"), ("committed", "S1", "S"), "crash"),
    "the asker dies": (("published", ASKS, "Q"), "crash"),
    "the request comes twice": (("published", ASKS, "Q"), "published twice"),
}
TOLD_LATER = ("the request is lost", "the reply is lost", "the reply comes after the time-out")
"""Nobody can know the ending within the time that a client waits."""


def play(script: Script, *wishes: Wish) -> tuple[Result, dict[str, str]]:
    """The run, and the steps of its one order."""
    workload = Workload(money=(10_000,), goods=((1_000, 5),), wishes=wishes)
    result = simulate(workload, 0, plan=script, switching=0.0)
    assert not result.broken
    assert script.number == len(script.scenes), f"it did not come to {script.scenes[script.number]}"
    assert result.books is not None
    books = result.books()
    rows = {"product": books.reservations, "user": books.holds, "payment": books.payments, "delivery": books.deliveries}
    (order_id,) = books.orders
    return result, {service: rows[service][order_id].state for service in rows}


def told(result: Result) -> list[str]:
    """What the client was told, one answer after another; whatever was final is what the books say at the end."""
    assert result.books is not None
    ends = {order_id: order.status for order_id, order in result.books().orders.items()}
    assert {status for _, _, status in result.told} <= {"PROCESSING", *ends.values()}
    return [status for _, _, status in result.told]


def holdings(result: Result) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The customer's free, held and spent money; the shelf's goods, reserved and sold ones."""
    assert result.books is not None
    books = result.books()
    (user,), (product,) = books.users, books.products
    return (user.balance_cents, user.held_cents, user.spent_cents), (product.shelf, product.reserved, product.sold)


@pytest.mark.parametrize("service", STEPS)
@pytest.mark.parametrize("mishap", MISHAPS)
def test_the_order_succeeds_once_and_the_client_is_told_nothing_untrue(mishap: str, service: str) -> None:
    script = Script.of(*MISHAPS[mishap], service=service)
    result, steps = play(script, Wish(mode="rpc"))
    assert steps == DONE
    assert holdings(result) == ((9_000, 0, 1_000), (4, 0, 1))
    if mishap in TOLD_LATER:
        assert told(result) == ["PROCESSING"]
    elif mishap == "the request comes twice":
        assert told(result) == ["SUCCESS"]
    else:  # by how long a dead process takes to come back
        assert told(result) in (["PROCESSING"], ["SUCCESS"])


@pytest.mark.parametrize("service", STEPS)
def test_a_cancel_that_overtakes_the_request_wins(service: str) -> None:
    """The broker refuses the request; the client cancels; asked again when all is undone, the service refuses."""
    script = Script([("publish", ASKS, STEPS[service][0])], "refused")
    result, steps = play(script, Wish(mode="rpc", cancel_after=0.5))
    before = list(STEPS)[: list(STEPS).index(service)]
    assert steps == {each: UNDONE[each] if each in before else "VOID" for each in STEPS}
    assert holdings(result) == ((10_000, 0, 0), (5, 0, 0))
    assert told(result) == ["PROCESSING", "FAILED"]
    assert late(result, service, STEPS[service][0])


def late(result: Result, service: str, question: str) -> bool:
    """Whether a service heard a question only when everything was undone."""
    (story,) = result.stories()
    heard = [one.at for one in story.messages if (one.service, one.direction, one.type) == (service, "heard", question)]
    return story.order is not None and story.order.undone_at is not None and min(heard) > story.order.undone_at


def test_nothing_breaks_the_order_that_all_this_is_about() -> None:
    """Otherwise its success would not be theirs who mend."""
    result, steps = play(Script([("publish", ASKS, "OrderPlaced")], "delay"), Wish(mode="rpc"))
    assert (steps, result.happened, told(result)) == (DONE, {}, ["PROCESSING"])
    assert isinstance(result.told[0][1], UUID)

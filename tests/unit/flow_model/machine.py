"""The services' rows for one order, and what each handler does to them: the flow without databases and words.

``test_machine_is_real.py`` holds this machine against the real handlers, transition by transition; so whatever the
models find out about it is true of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

Said = tuple[str, ...]
"""The types of the messages that a handler says."""


class Rows(NamedTuple):
    """What stands about one order in five databases; ``-`` where there is no row."""

    order: str = "PROCESSING"
    undone: bool = False
    product: str = "-"
    user: str = "-"
    payment: str = "-"
    delivery: str = "-"

    def changed(self, service: str, state: str) -> Rows:
        """The rows after one of them changed."""
        return self._replace(**{service: state})  # type: ignore[arg-type]  # the names are those of the fields


class Request(NamedTuple):
    """A step forward: the row it makes, and what it answers, done or refused."""

    service: str
    done: str
    refused: str
    yes: str
    no: str
    finished: tuple[str, ...] = ()  # later states in which a duplicate request still yields the answer ``yes``


class Undo(NamedTuple):
    """A step back: which state it undoes, what it leaves, and what it always answers."""

    service: str
    done: str
    undone: str
    answer: str


class Finish(NamedTuple):
    """What becomes of a step when the order is a success."""

    service: str
    done: str
    finished: str


REQUESTS = {
    "reserve_stock": Request("product", "RESERVED", "REJECTED", "StockReserved", "StockRejected", ("SOLD",)),
    "hold_funds": Request("user", "HELD", "REJECTED", "FundsHeld", "FundsRejected", ("SPENT",)),
    "take_payment": Request("payment", "TAKEN", "FAILED", "PaymentTaken", "PaymentFailed"),
    "schedule_delivery": Request("delivery", "SCHEDULED", "FAILED", "DeliveryScheduled", "DeliveryFailed"),
}
UNDOS = {
    "release_stock": Undo("product", "RESERVED", "RELEASED", "StockReleased"),
    "release_funds": Undo("user", "HELD", "RELEASED", "FundsReleased"),
    "refund_payment": Undo("payment", "TAKEN", "REFUNDED", "PaymentRefunded"),
    "cancel_delivery": Undo("delivery", "SCHEDULED", "CANCELLED", "DeliveryCancelled"),
}
FINISHES = {"sell_stock": Finish("product", "RESERVED", "SOLD"), "spend_funds": Finish("user", "HELD", "SPENT")}


class Machine:
    """Rows and a message in, rows and what is said out.  Its methods are few, so that a mutant can spoil one."""

    def react(self, rows: Rows, handler: str, message: str, refuse: bool = False) -> tuple[Rows, Said]:
        """What a handler does; ``refuse``: the goods, the money, the gateway or the carrier say no."""
        if handler in REQUESTS:
            return self.request(rows, REQUESTS[handler], refuse)
        if handler in UNDOS:
            return self.undo(rows, UNDOS[handler])
        if handler in FINISHES:
            return self.finish(rows, FINISHES[handler])
        order: Callable[[Rows, str], tuple[Rows, Said]] = getattr(self, handler)
        return order(rows, message)

    def outcomes(self, rows: Rows, handler: str, message: str) -> list[tuple[Rows, Said, str]]:
        """Everything that a handler may do: a step that is not done yet may also be refused."""
        done = (*self.react(rows, handler, message), "")
        if handler not in REQUESTS or getattr(rows, REQUESTS[handler].service) != "-":
            return [done]
        return [done, (*self.react(rows, handler, message, refuse=True), " refused")]

    def knows(self, handler: str) -> bool:
        """Whether this handler has a row here; others (``notify``) change nothing that is promised about an order."""
        return handler in (*REQUESTS, *UNDOS, *FINISHES, "confirm", "fail", "close", "advance", "fail_and_unwind", "unwind")

    # -- participants

    def request(self, rows: Rows, step: Request, refuse: bool) -> tuple[Rows, Said]:
        """Once; a duplicate yields the stored answer, a request that comes after the undo is refused."""
        state = getattr(rows, step.service)
        if state == "-":
            return rows.changed(step.service, step.refused if refuse else step.done), (step.no if refuse else step.yes,)
        return rows, self.stored_answer(step, state)

    def stored_answer(self, step: Request, state: str) -> Said:
        """What a duplicate request is answered."""
        return (step.yes if state in (step.done, *step.finished) else step.no,)

    def undo(self, rows: Rows, step: Undo) -> tuple[Rows, Said]:
        """Once; where nothing was done it leaves a tombstone; it always answers."""
        state = getattr(rows, step.service)
        after = {"-": "VOID", step.done: step.undone}.get(state, state)
        return rows.changed(step.service, after), (step.answer,)

    def finish(self, rows: Rows, step: Finish) -> tuple[Rows, Said]:
        """Once, and silently."""
        done = getattr(rows, step.service) == step.done
        return (rows.changed(step.service, step.finished) if done else rows), ()

    # -- the order: its row decides, the loser of a race says nothing

    def confirm(self, rows: Rows, _message: str) -> tuple[Rows, Said]:
        """A success, if nothing else has settled the order."""
        if rows.order != "PROCESSING":
            return rows, ()
        return rows._replace(order="SUCCESS"), ("OrderConfirmed",)

    def fail(self, rows: Rows, message: str) -> tuple[Rows, Said]:
        """A failure, if nothing else has; after StockRejected nothing is left to undo."""
        if rows.order != "PROCESSING":
            return rows, ()
        return rows._replace(order="FAILED", undone=rows.undone or message == "StockRejected"), ("OrderFailed",)

    def cancel(self, rows: Rows, _message: str = "CancelOrder") -> tuple[Rows, Said]:
        """A failure, if nothing else has; everything is to be undone."""
        if rows.order != "PROCESSING":
            return rows, ()
        return rows._replace(order="FAILED"), ("OrderCancelled",)

    def close(self, rows: Rows, _message: str) -> tuple[Rows, Said]:
        """Everything is undone; never a success."""
        return rows._replace(undone=rows.undone or rows.order != "SUCCESS"), ()

    # -- the orchestrator's part

    def advance(self, rows: Rows, message: str) -> tuple[Rows, Said]:
        """On to the next step, while the order is open."""
        return rows, ((message,) if rows.order == "PROCESSING" else ())

    def fail_and_unwind(self, rows: Rows, message: str) -> tuple[Rows, Said]:
        """A failure, if nothing else has; then the step before is told to let go."""
        after, said = self.fail(rows, message)
        return after, (*said, *((message,) if said and message != "StockRejected" else ()))

    def unwind(self, rows: Rows, message: str) -> tuple[Rows, Said]:
        """On to the step before, always."""
        return rows, (message,)

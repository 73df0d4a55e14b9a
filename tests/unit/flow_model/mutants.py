"""Machines and routes with one defence taken away: the models must find out what it was good for."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.flow_model.machine import UNDOS, Machine, Request, Rows, Said, Undo
from tests.unit.flow_model.routes import Routes, Way


class NoTombstone(Machine):
    """An undo that comes first leaves nothing behind."""

    def undo(self, rows: Rows, step: Undo) -> tuple[Rows, Said]:
        return (rows, (step.answer,)) if getattr(rows, step.service) == "-" else super().undo(rows, step)


class SilentUndo(Machine):
    """An undo that finds nothing to undo says nothing."""

    def undo(self, rows: Rows, step: Undo) -> tuple[Rows, Said]:
        after, said = super().undo(rows, step)
        return after, said if getattr(rows, step.service) == step.done else ()


class BlindConfirm(Machine):
    """The last word wins: a confirmation makes a success of whatever the order was."""

    def confirm(self, rows: Rows, _message: str) -> tuple[Rows, Said]:
        return rows._replace(order="SUCCESS"), ("OrderConfirmed",)


class BlindFail(Machine):
    """The last word wins: a refusal makes a failure of whatever the order was."""

    def fail(self, rows: Rows, message: str) -> tuple[Rows, Said]:
        after, said = super().fail(rows._replace(order="PROCESSING"), message)
        return after, said


class NoStoredAnswer(Machine):
    """A duplicate request is ignored."""

    def stored_answer(self, _step: Request, _state: str) -> Said:
        return ()


class YesToTheUndone(Machine):
    """A duplicate request that finds its step undone yields the answer of the time when it was done."""

    def stored_answer(self, step: Request, state: str) -> Said:
        return (step.no if state in (step.refused, "VOID") else step.yes,)


class EagerAdvance(Machine):
    """The orchestrator passes each answer on, also after the order has ended."""

    def advance(self, rows: Rows, message: str) -> tuple[Rows, Said]:
        return rows, (message,)


def unheard(message: str, handler: str) -> Callable[[Routes], Routes]:
    """The routes without this one."""
    return lambda routes: tuple(way for way in routes if (way.message, way.handler) != (message, handler))


def parallel_undo(routes: Routes) -> Routes:
    """A cancelled order tells all participants at once, instead of the flow running backwards."""
    backwards = {"DeliveryCancelled", "PaymentRefunded", "FundsReleased"}
    kept = tuple(way for way in routes if way.message not in backwards and way.message != "OrderCancelled")
    at_once = tuple(
        Way("order", "OrderCancelled", step.service, handler, "news") for handler, step in UNDOS.items()
    )
    return tuple(sorted((*kept, *at_once)))

"""One order, and messages that have an identity: the outbox says each once, whatever its cause.

With an inbox (``replays=False``) each is handled once, in any order, after any delay: what the services really do.
Without (``replays=True``) anything ever said may be handled again at any time: inboxes pruned, a backup replayed, a
person sending a parked message once more.  That is at least as harsh as :mod:`copies`, and far smaller: whatever
happens there can happen here, and the quiet-promises are asked as soon as each message has been handled once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.unit.flow_model.machine import Machine, Rows
from tests.unit.flow_model.promises import always, when_quiet
from tests.unit.flow_model.routes import Board, Routes


class State(NamedTuple):
    """The rows, and which ways have been opened and gone."""

    rows: Rows
    said: int
    handled: int


class Identities:
    """Whatever was said is handled: in any order, at any time."""

    def __init__(
        self, routes: Routes, machine: Machine | None = None, *, replays: bool = False, cancel: bool = True
    ) -> None:
        self.board, self.machine, self.replays, self.cancel = Board(routes), machine or Machine(), replays, cancel
        self.start = State(Rows(), self.board.opened("order", ("OrderPlaced",)), 0)

    def after(self, state: State) -> list[State]:
        """Every state that may come next."""
        return [after for after, _ in self._moves(state)]

    def wrong(self, state: State) -> str | None:
        """Always-promises in every state, quiet-promises where everything said is handled."""
        return always(state.rows) or (when_quiet(state.rows) if self.ending(state) is not None else None)

    def ending(self, state: State) -> Rows | None:
        """Everything said is handled, and no deadline is left to come."""
        waits = self.cancel and state.rows.order == "PROCESSING"
        return state.rows if state.said == state.handled and not waits else None

    def told(self, state: State, after: State) -> str:
        """The move between two states."""
        return next(words for found, words in self._moves(state) if found == after)

    def _moves(self, state: State) -> Iterator[tuple[State, str]]:
        rows, said, handled = state
        if self.cancel and rows.order == "PROCESSING":
            changed, answers = self.machine.cancel(rows)
            yield State(changed, said | self.board.opened("order", answers), handled), "cancelled"
        for bit, way in self.board.open(said if self.replays else said & ~handled):
            again = " again" if handled & bit else ""
            for changed, answers, word in self.machine.outcomes(rows, way.handler, way.message):
                opened = said | self.board.opened(way.listener, answers)
                yield State(changed, opened, handled | bit), f"{way}{word}{again}"

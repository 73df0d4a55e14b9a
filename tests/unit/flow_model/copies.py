"""One order, and messages of which copies may arrive late, twice and in any order: with no inbox to help.

A message said has one copy for each hearer.  Delivering one may use it up or leave it behind, to arrive again.  An
order may be cancelled at any time while it is open; each step may refuse.  A handler and what it says are one move, as
the outbox makes them.  Only the rows' own guards protect here: the strictest model, and the largest.
"""

from __future__ import annotations

from tests.unit.flow_model.machine import Machine, Rows
from tests.unit.flow_model.promises import always, when_quiet
from tests.unit.flow_model.routes import Board, Routes

Outcomes = list[tuple[int, list[tuple[int, int, str]]]]
"""For each way its bit, and what may become of it: the rows after it, the ways that open, and the story."""


class Copies:
    """States are numbers, for there are many: ``rows << ways | ways under way``."""

    def __init__(self, routes: Routes, machine: Machine | None = None, *, cancel: bool = True) -> None:
        self.board, self.machine, self.cancel = Board(routes), machine or Machine(), cancel
        self.width = len(routes)
        self._all = (1 << self.width) - 1
        self._rows: list[Rows] = []
        self._numbers: dict[Rows, int] = {}
        self._outcomes: dict[int, Outcomes] = {}
        self._cancelled = self.board.opened("order", ("OrderCancelled",))
        self.start = self._number(Rows()) | self.board.opened("order", ("OrderPlaced",))

    def after(self, state: int) -> list[int]:
        """Each copy under way arrives, used up or left behind; or the order is cancelled."""
        number, under_way = state >> self.width, state & self._all
        rows = self._rows[number]
        states = []
        if self.cancel and rows.order == "PROCESSING":
            states.append(self._number(self.machine.cancel(rows)[0]) | under_way | self._cancelled)
        if number not in self._outcomes:
            self._outcomes[number] = self._work_out(rows)
        for bit, outcomes in self._outcomes[number]:
            if under_way & bit:
                for changed, opened, _ in outcomes:
                    states.append(changed | under_way | opened)
                    states.append(changed | (under_way & ~bit) | opened)
        return states

    def wrong(self, state: int) -> str | None:
        """Always-promises in every state, quiet-promises where nothing is under way."""
        rows = self._rows[state >> self.width]
        return always(rows) or (when_quiet(rows) if self.ending(state) is not None else None)

    def ending(self, state: int) -> Rows | None:
        """An open order is not at its end while its deadline can still cancel it."""
        rows = self._rows[state >> self.width]
        return None if state & self._all or (self.cancel and rows.order == "PROCESSING") else rows

    def told(self, state: int, after: int) -> str:
        """The move between two states."""
        under_way = state & self._all
        for bit, outcomes in self._outcomes[state >> self.width]:
            for changed, opened, words in outcomes if under_way & bit else ():
                if after == changed | (under_way & ~bit) | opened:
                    return words
                if after == changed | under_way | opened:
                    return f"{words} (a copy)"
        return "cancelled"

    def _work_out(self, rows: Rows) -> Outcomes:
        """What each way does to these rows; worked out once."""
        return [
            (bit, [
                (self._number(changed), self.board.opened(way.listener, said), f"{way}{word}")
                for changed, said, word in self.machine.outcomes(rows, way.handler, way.message)
            ])
            for bit, way in self.board.ways
        ]

    def _number(self, rows: Rows) -> int:
        """The upper part of a state with these rows."""
        if rows not in self._numbers:
            self._numbers[rows] = len(self._rows)
            self._rows.append(rows)
        return self._numbers[rows] << self.width

"""Mode rpc: questions that are asked until answered, and replies that may be lost, late or doubled.

A question is an outbox row, done only in the transaction that handles its answer; until then the relay asks again, and
a duplicate may arrive whenever it likes.  A reply is a hint: it may never arrive, or again and again.  The order
service's inbox knows an answer by its id, which says the type and not the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.unit.flow_model.machine import Machine, Rows
from tests.unit.flow_model.promises import always, when_quiet
from tests.unit.flow_model.routes import Board, Routes, Way


class State(NamedTuple):
    """The rows; questions asked, done, and (where an inbox keeps them from it) never answered again; replies; news."""

    rows: Rows
    asked: int
    done: int
    swallowed: int
    replies: frozenset[tuple[int, int]]  # which question (its bit), and the answer's way
    known: int
    news: int
    told_news: int


class Questions:
    """What may happen, and two mistakes: a participant's ``inbox`` that swallows a question it has heard before, and a
    question that counts as ``done_when_sent``."""

    def __init__(
        self, routes: Routes, machine: Machine | None = None, *, inbox: bool = False, done_when_sent: bool = False
    ) -> None:
        self.board, self.machine = Board(routes), machine or Machine()
        self.inbox, self.done_when_sent = inbox, done_when_sent
        self._kinds = {
            kind: sum(bit for bit, way in self.board.ways if way.kind == kind) for kind in ("question", "answer", "news")
        }
        self._way: dict[int, Way] = dict(self.board.ways)
        empty = State(Rows(), 0, 0, 0, frozenset(), 0, 0, 0)
        self.start = self._say(empty, self.board.opened("order", ("OrderPlaced",)))

    def after(self, state: State) -> list[State]:
        """Every state that may come next."""
        return [after for after, _ in self._moves(state)]

    def wrong(self, state: State) -> str | None:
        """Always-promises in every state, quiet-promises where no question is open."""
        return always(state.rows) or (when_quiet(state.rows) if self.ending(state) is not None else None)

    def ending(self, state: State) -> Rows | None:
        """No question is open, no news is under way, no deadline is left to come; late replies may always come."""
        busy = state.asked != state.done or state.news or state.rows.order == "PROCESSING"
        return None if busy else state.rows

    def told(self, state: State, after: State) -> str:
        """The move between two states."""
        return next(words for found, words in self._moves(state) if found == after)

    def _moves(self, state: State) -> Iterator[tuple[State, str]]:
        if state.rows.order == "PROCESSING":
            changed, answers = self.machine.cancel(state.rows)
            yield self._say(state._replace(rows=changed), self.board.opened("order", answers)), "cancelled"
        for bit, way in self.board.open(state.asked & ~state.swallowed):
            yield from self._asked(state, bit, way)
        for question, answer in state.replies:
            yield self._answered(state, question, answer), f"{self._way[answer]}"
        for bit, way in self.board.open(state.news):
            changed, _ = self.machine.react(state.rows, way.handler, way.message)
            yield state._replace(rows=changed, news=state.news & ~bit), f"{way}"

    def _asked(self, state: State, bit: int, way: Way) -> Iterator[tuple[State, str]]:
        """A participant hears a question, for the first time or again; its reply arrives, or is lost."""
        for changed, answers, word in self.machine.outcomes(state.rows, way.handler, way.message):
            answer = self.board.opened(way.listener, answers) & self._kinds["answer"]
            if not answer:
                yield state._replace(rows=changed), f"{way}{word}, without an answer"
                continue
            heard = state._replace(rows=changed, swallowed=state.swallowed | (bit if self.inbox else 0))
            yield heard._replace(replies=state.replies | {(bit, answer)}), f"{way}{word}"
            yield heard, f"{way}{word}, the reply is lost"

    def _answered(self, state: State, question: int, answer: int) -> State:
        """The order service hears a reply: its question is done, and what is new in it is handled."""
        state = state._replace(done=state.done | question)
        if state.known & answer:
            return state
        way = self._way[answer]
        changed, said = self.machine.react(state.rows, way.handler, way.message)
        return self._say(state._replace(rows=changed, known=state.known | answer), self.board.opened("order", said))

    def _say(self, state: State, opened: int) -> State:
        """Ask what is a question, tell what is news; each once."""
        questions = opened & self._kinds["question"]
        news = opened & self._kinds["news"] & ~state.told_news
        return state._replace(
            asked=state.asked | questions, done=state.done | (questions if self.done_when_sent else 0),
            news=state.news | news, told_news=state.told_news | news,
        )

"""Together: the handlers of many messages in one transaction, and what they ask for at once in one round trip.

::

    message 1:  INSERT step ┐             UPDATE shelf ┐
    message 2:  INSERT step ├─ one trip,  UPDATE shelf ├─ one trip, …
    message 3:  INSERT step ┘             (has ended)  ┘

A handler is written for one message and knows nothing of this.  Each runs in a greenlet until it asks for a statement;
when all of them wait, all is asked, in the order of the messages, and all go on; PostgreSQL is told of it when the first
looks at an answer (:mod:`patterns.quick_postgresql`).  Every statement is executed by itself, so guards and row counts
mean what they always mean.  Two rules keep each handler's view whole: of an order one message at a time is under way, and
whoever opens a savepoint goes on alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

from greenlet import getcurrent, greenlet
from sqlalchemy import Executable

from patterns.database import Session

Work = Callable[[Session], Any]


@dataclass(slots=True)
class _Wish:
    """A statement that a handler waits for; None: it wants to be alone."""

    statement: Any
    parameters: Any = None
    options: Mapping[str, Any] | None = None


class _Turn:
    """The session, as one of several handlers sees it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.dialect = session.dialect

    def execute(self, statement: Executable, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """What the statement answers, when everybody has come as far."""
        return _wait_for(_Wish(statement, parameters, execution_options))

    def begin_nested(self) -> AbstractContextManager[Any]:
        """A savepoint.  Rolled back, it takes along what others did meanwhile: so all have ended, or wait for this too."""
        _wait_for(_Wish(None))
        return self._session.begin_nested()


def together(session: Session, works: Sequence[tuple[Hashable, Work]]) -> list[Any]:
    """Do all this work, each for somebody, in this transaction; answers what each answered.

    Work for the same one is done in its order, one after the other.  When one raises, so does this.
    """
    answers: dict[int, Any] = {}
    todo = dict(enumerate(works))
    while todo:
        first = {whose: number for number, (whose, _) in reversed(todo.items())}
        answers.update(_side_by_side(session, {number: todo.pop(number)[1] for number in sorted(first.values())}))
    return [answers[number] for number in range(len(works))]


def _side_by_side(session: Session, works: Mapping[int, Work]) -> dict[int, Any]:
    if len(works) == 1:
        return {number: work(session) for number, work in works.items()}
    runs = {number: greenlet(work) for number, work in works.items()}
    try:
        wishes = {number: run.switch(cast("Session", _Turn(session))) for number, run in runs.items()}
        answers = {number: wishes.pop(number) for number, run in runs.items() if run.dead}
        while wishes:
            for number, granted in _granted(session, wishes).items():
                wishes[number] = runs[number].switch(granted)
                if runs[number].dead:
                    answers[number] = wishes.pop(number)
        return answers
    finally:
        for run in runs.values():
            if not run.dead:
                run.throw()  # one of the others raised


def _granted(session: Session, wishes: Mapping[int, _Wish]) -> dict[int, Any]:
    """What is answered to those who wait; who wants to be alone waits until nobody else does."""
    granted: dict[int, Any] = {
        number: session.execute(wish.statement, wish.parameters, execution_options=wish.options)
        for number, wish in wishes.items() if wish.statement is not None
    }
    return granted or {min(wishes): None}


def _wait_for(wish: _Wish) -> Any:
    return cast("greenlet", getcurrent().parent).switch(wish)

"""Visit every state a model can be in, and say by which story a broken promise is reached."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from tests.unit.flow_model.machine import Rows

State = TypeVar("State", bound=Hashable)


class Model(Protocol[State]):
    """Something that is always in one of its states, and the moves between them."""

    start: State

    def after(self, state: State) -> Iterable[State]:
        """Every state that may come next."""

    def wrong(self, state: State) -> str | None:
        """Which promise is broken in this state."""

    def ending(self, state: State) -> Rows | None:
        """The rows, if nothing is under way any more."""

    def told(self, state: State, after: State) -> str:
        """What happens between two states, in words."""


@dataclass
class Found:
    """What an exploration saw."""

    states: int = 0
    moves: int = 0
    endings: set[Rows] = field(default_factory=set)
    violation: str | None = None
    stuck: str | None = None

    def __str__(self) -> str:
        trouble = self.violation or self.stuck
        return f"{self.states} states, {self.moves} moves, {len(self.endings)} endings" + (f"; {trouble}" if trouble else "")


def explore(model: Model[State]) -> Found:
    """Visit every state, nearest first; stop at the first broken promise, so that its story is a shortest one."""
    found = Found()
    came_from = {model.start: model.start}
    todo = deque([model.start])
    while todo:
        state = todo.popleft()
        for after in model.after(state):
            found.moves += 1
            if after in came_from:
                continue
            came_from[after] = state
            todo.append(after)
            rows = model.ending(after)
            if rows is not None:
                found.endings.add(rows)
            complaint = model.wrong(after)
            if complaint:
                found.states, found.violation = len(came_from), f"{complaint}: {_story(model, came_from, after)}"
                return found
    found.states = len(came_from)
    return found


def explore_to_the_end(model: Model[State]) -> Found:
    """As :func:`explore`; then see that from every state an end can be reached, so that nothing hangs for ever."""
    found = explore(model)
    if found.violation:
        return found
    came_from = {model.start: model.start}
    before: dict[State, list[State]] = {model.start: []}
    todo = deque([model.start])
    while todo:
        state = todo.popleft()
        for after in model.after(state):
            before.setdefault(after, []).append(state)
            if after not in came_from:
                came_from[after] = state
                todo.append(after)
    good = [state for state in came_from if model.ending(state) is not None]
    reach = set(good)
    while good:
        more = [state for state in before[good.pop()] if state not in reach]
        reach.update(more)
        good += more
    lost = [state for state in came_from if state not in reach]
    if lost:
        found.stuck = f"{len(lost)} states can never become quiet, the nearest: {_story(model, came_from, lost[0])}"
    return found


def _story(model: Model[State], came_from: dict[State, State], state: State) -> str:
    steps = []
    while came_from[state] != state:
        steps.append(model.told(came_from[state], state))
        state = came_from[state]
    return " > ".join(reversed(steps))

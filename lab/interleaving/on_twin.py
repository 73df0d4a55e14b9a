"""Stages on the simulated database that is to be like PostgreSQL: tasks that stop before each statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Table, select

from lab.interleaving.gates import Actor, Choose, Crossing, cross
from lab.interleaving.stage import NOT_COMPARED, Impatient, Stage
from lab.interleaving.steps import Step
from lab.simulation.crossing import CrossingStore
from lab.simulation.crossing_view import Transaction
from lab.simulation.scheduler import BEGIN, Process, Scheduler
from lab.simulation.store import SimulatedDatabase
from lab.simulation.threads import SimulatedRuntime
from patterns.database import Session
from patterns.message import Message
from patterns.runtime import runtime, use_runtime


class Gates:
    """All that a store needs of a world: each statement and each commit is a gate where its actor stops."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(0, switching=0.0)
        self.injector = self
        self.seen: Counter[str] = Counter()
        self.actors: dict[Process, Actor] = {}

    def at(self, place: str, whose: str = "") -> None:  # noqa: ARG002 (as an injector's)
        """Stop at the gate, until it is opened; nothing breaks here."""
        task = self.scheduler.current
        if task is not None and place in ("sql", "commit"):
            self.actors[task.process].next = Step(place)
            self.scheduler.wait(None)

    def time(self) -> float:
        """The database's clock."""
        return BEGIN

    def committed(self, service: str) -> None:
        """Nobody looks here."""


class Hurried(SimulatedRuntime):
    """Threads and locks of the simulation, and no time."""

    now, sleep = Impatient.now, Impatient.sleep


class TwinStage(Stage):
    """One service on a simulated database."""

    def __init__(self, name: str) -> None:
        self.gates = Gates()
        self.runtime = Hurried(self.gates.scheduler)
        self.victims: Counter[int] = Counter()
        """How often each actor is to end a deadlock."""
        with self.entered():
            self.store = self._new_store(name)
            super().__init__(name, SimulatedDatabase(self.store, Process("stage")))

    def _new_store(self, name: str) -> CrossingStore:
        in_place_of_a_world: Any = self.gates
        return CrossingStore(in_place_of_a_world, name)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Threads and time are the simulation's."""
        before = runtime()
        use_runtime(self.runtime)
        try:
            yield
        finally:
            use_runtime(before)

    def close(self) -> None:
        """Nothing is kept open."""

    def play(self, acts: Sequence[Callable[[], object]], choose: Choose) -> Crossing:
        """Let these cross, each in a task."""
        scheduler = self.gates.scheduler
        actors = tuple(Actor(number, None) for number in range(len(acts)))  # type: ignore[arg-type]
        tasks = []
        for actor, act in zip(actors, acts, strict=True):
            process = Process(f"actor {actor.number}")
            self.gates.actors[process] = actor
            tasks.append(scheduler.spawn(process.name, process, partial(perform, actor, act)))

        def settle() -> set[int]:
            scheduler.run(lambda: True)
            return {actor.number for actor in actors if not actor.done and actor.next is None}

        return cross(actors, settle, lambda number: scheduler.wake(tasks[number]), choose)

    def alone(self, act: Callable[[], object]) -> None:
        """Do this while nobody else is there; in a task, since only tasks can wait for a worker's answer."""
        [actor] = self.play([act], min).actors
        if actor.error is not None:
            raise actor.error

    def _victim(self, waiting: Sequence[Transaction]) -> Transaction:
        """Whom PostgreSQL chose."""
        current = self.gates.scheduler.current

        def actor(transaction: Transaction) -> Actor:
            task = transaction.waiter or current
            assert task is not None  # noqa: S101 (only tasks wait)
            return self.gates.actors[task.process]

        chosen = max(waiting, key=lambda one: self.victims[actor(one).number])
        self.victims[actor(chosen).number] -= 1
        actor(chosen).deadlocks += 1
        return chosen

    def _request(self, answer: Message) -> str:
        asked = "SELECT message_id FROM outbox WHERE order_id = ? AND awaits_answer ORDER BY sent_at IS NULL DESC, id DESC"
        self.store.view.clear()
        row = self.store.raw.execute(asked, [answer.order_id.hex]).fetchone()
        return str(UUID(row[0])) if row else ""

    def empty(self) -> None:
        """A new database; who goes on first of those that waited is decided anew, but always the same."""
        self.gates.actors.clear()
        self.store.give_back()
        self.store = self._new_store(self.name)
        self.store.choose_victim = self._victim
        self.database._store = self.store  # type: ignore[attr-defined]

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """What stands in the tables, without what may differ between equal runs."""
        return self.database.read(lambda session: {table.name: _rows(session, table) for table in self.tables})


def perform(actor: Actor, act: Callable[[], object]) -> None:
    """An actor's act, and what came of it."""
    try:
        actor.answer = act()
    except Exception as error:  # what an act raises is judged with everything else
        actor.error = error
    finally:
        actor.done, actor.next = True, None


def _rows(session: Session, table: Table) -> list[dict[str, Any]]:
    left_out = [name for name, tables in NOT_COMPARED.items() if table.name in tables]
    columns = [column for column in table.columns if column.name not in left_out]
    return [
        {column.name: _plain(column.type, value) for column, value in zip(columns, row, strict=True)}
        for row in session.execute(select(*columns))
    ]


def _plain(kind: Any, value: Any) -> Any:
    """As PostgreSQL's JSON has it; of times only whether they are there."""
    if isinstance(kind, Double):
        return value is not None
    return str(value) if isinstance(value, UUID) else value

"""Gated: sessions on PostgreSQL that stop at a gate before every statement and every commit of an actor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from lab.interleaving.gates import actor_here
from lab.interleaving.steps import Object, Step, ending, step_of
from patterns.database import Database
from patterns.quick_postgresql import Answer, QuickPostgreSQL
from patterns.quick_words import Words


def put_gates(database: Database) -> None:
    """Stop every actor's statements and commits on this database; nobody else's."""
    database.session_type = Gated

    @event.listens_for(database.engine, "before_cursor_execute")
    def _plain(connection: Connection, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        _stop(connection, lambda before: step_of(statement, parameters, before))

    @event.listens_for(database.engine, "handle_error")
    def _error(context: Any) -> None:
        _note_error(context.original_exception)


class Gated(QuickPostgreSQL):
    """A session that sends each of an actor's statements by itself, and stops before."""

    _busy = False

    def ask(self, words: Words, given: Mapping[str, Any]) -> Answer:
        """Stand at the gate, then do this."""
        if actor_here() is None or words.text == "COMMIT":
            return super().ask(words, given)
        self._busy = True
        _stop(self.plain, lambda before: step_of(words.text, given, before))
        answer = super().ask(words, given)
        self.look()
        return answer

    def look(self) -> None:
        """Do it, and see what comes of it."""
        try:
            super().look()
        except DBAPIError as error:
            _note_error(error.orig)
            raise

    def commit(self) -> None:
        """Stand at the last gate."""
        if self._busy:
            _stop(self.plain, partial(ending, "COMMIT"))
        super().commit()


def _stop(connection: Connection, step: Callable[[frozenset[Object]], Step]) -> None:
    if (actor := actor_here()) is not None:
        driver: Any = connection.connection.driver_connection
        actor.wait(step(actor.changed), int(driver.info.backend_pid))


def _note_error(error: BaseException | None) -> None:
    if (actor := actor_here()) is not None:
        actor.deadlocks += getattr(error, "sqlstate", None) == "40P01"
        actor.changed = frozenset()

"""The stage: a service's real listener, relay and database, and what stands in its tables before and after.

Only the broker is left out: what would be published is written down.  Ids are the same in every run, so that runs can be
compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import psycopg
from psycopg import sql
from sqlalchemy import Double, Integer, Table

from lab.interleaving.gates import put_gates
from lab.shop import app_of
from patterns import journal
from patterns.address import Answer, Rpc
from patterns.amqp import DIRECT_REPLY_TO, Delivery, Outgoing, Receipt
from patterns.database import Database
from patterns.engine import database_url
from patterns.envelope import Context, seal, seal_reply
from patterns.errors import Unreadable
from patterns.link import Link
from patterns.listener import Listener
from patterns.logs import get_logger
from patterns.message import ANSWER, Message
from patterns.relay import Relay
from patterns.runtime import Runtime, use_runtime
from patterns.service import Service
from patterns.voice import Voice

NAMES = UUID("00000000-0000-0000-0000-0000000c2055")
TRUNCATE_EVERY = 100
"""Tables are emptied by DELETE, which is quick while they are small; so often what that leaves is swept away."""

DEADLOCK_TIMEOUT = "10ms"
"""After so long PostgreSQL looks whether those who wait for a lock wait for each other; its own default is a second."""

NOT_COMPARED = {"id": ("outbox", "history"), "attempts": ("outbox",)}
"""Columns that may differ between equal runs."""


class Impatient(Runtime):
    """No pauses, and no time: who waits how long decides nothing here, the gates do."""

    def now(self) -> float:
        """Always the same, so that messages that carry a deadline can be compared."""
        return 1_000_000_000.0

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


class OpenLink(Link):
    """A link whose channel takes every message, and writes it down."""

    def __init__(self, name: str) -> None:
        nowhere: Any = None
        super().__init__(name, nowhere, lambda _: None, lambda *_: None, 1)
        self.published: list[Outgoing] = []

    @property
    def trouble(self) -> str | None:
        """None: it works."""
        return None

    def channel(self, timeout: float = 30.0) -> Any:  # noqa: ARG002 (nobody waits)
        """Itself: of a channel only ``publish`` is asked."""
        return self

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:  # noqa: ARG002
        """Write them down."""
        self.published += messages
        return [Receipt.CONFIRMED] * len(messages)


class Stage:
    """One service, ready to be played with; ``admin``: an autocommit connection to its database."""

    def __init__(self, name: str) -> None:
        self.name, self.mode = name, "topic"
        self.heard = 0
        """Messages that acts have heard since the last reset."""
        url = database_url(name)
        self.admin: psycopg.Connection[Any] = psycopg.connect(
            url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)
        self._see_deadlocks_soon()
        self.database = Database(name, url)
        self.service: Service = app_of(name).state.service
        self.database.create_tables(self.service.metadata)
        put_gates(self.database.engine)
        self.link = OpenLink(f"{name}.voice")
        nowhere: Any = None
        self.voice = Voice(name, nowhere, self.database, self.service.wirings, lambda *_: None)
        self.voice.link = self.link
        self.listener = Listener(
            name, nowhere, self.database, self.service.wirings, self.voice, self.service._lock_rows)
        self.relay = Relay(name, self.database, self.voice)
        self._tables = [table for table in self.service.metadata.sorted_tables if table.name != "alembic_version"]
        self._sequences = [f"{table.name}_id_seq" for table in self._tables if _counts(table)]
        self._resets = 0

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()
        self.admin.close()

    def _see_deadlocks_soon(self) -> None:
        quick = sql.SQL("ALTER DATABASE {} SET deadlock_timeout = {}")
        try:
            self.admin.execute(quick.format(sql.Identifier(self.admin.info.dbname), sql.Literal(DEADLOCK_TIMEOUT)))
        except psycopg.errors.InsufficientPrivilege:
            get_logger(self.name).info("Deadlocks take as long here as the server's deadlock_timeout says.")

    # -- what acts may do

    def hear(self, *messages: Message, again: str = "") -> None:
        """Handle these as one batch, as if they arrived at the service's queue; ``again``: under other ids."""
        self.heard += len(messages)
        self.listener.handle([self.delivery(message, again) for message in messages])

    def perform(self, wish: Message) -> tuple[Message, ...]:
        """One of the service's acts, asked for over HTTP."""
        answers, said = self.database.transact(self.service._act, wish, None)
        self.voice.say(said)
        return answers

    def do(self, work: Callable[..., Any], *args: Any) -> Any:
        """One of the service's verbs, asked for over HTTP."""
        return self.database.transact(work, *args)

    def prune(self) -> bool:
        """What the relay removes once a minute; here, whatever its age."""
        return self.database.transact(journal.prune, -1.0)

    def sweep(self) -> None:
        """A round of the relay."""
        self.relay.sweep()

    def delivery(self, message: Message, again: str = "") -> Delivery:
        """A message as it arrives in this mode, where this service hears it."""
        line = self.service.wirings[self.mode].line(lambda _: True, type(message))
        if line is None:
            raise Unreadable(f"{self.name} does not hear {message.type} in mode {self.mode}")
        if isinstance(line.address, Answer):
            said = seal_reply(message, Context(self.mode), DIRECT_REPLY_TO, self._request(message))
        else:
            said = seal(message, line.address, Context(self.mode), awaits_answer=isinstance(line.address, Rpc))
        if again:
            said = replace(said, message_id=uuid5(said.message_id, again))
        out = said.outgoing("elsewhere", reply_to=f"{DIRECT_REPLY_TO}.somebody")
        queue, tag = (DIRECT_REPLY_TO, None) if isinstance(line.address, Answer) else (line.address.queue_for(self.name), 1)
        return Delivery(queue, tag, out.exchange, out.routing_key, out.body, out.properties)

    def _request(self, answer: Message) -> str:
        """The request of ours that this answers: the last one about the order that is open."""
        asked = "SELECT message_id FROM outbox WHERE order_id = %s AND awaits_answer ORDER BY sent_at IS NULL DESC, id DESC"
        row = self.admin.execute(asked, [answer.order_id]).fetchone()
        return str(row[0]) if row else ""

    # -- before and after a run

    def reset(self, mode: str) -> None:
        """Empty the tables; ids begin again at 1."""
        self.mode, self.heard, self._resets = mode, 0, self._resets + 1
        self.link.published.clear()
        self.listener.counts.clear()
        names = ", ".join(table.name for table in self._tables)
        if self._resets % TRUNCATE_EVERY == 1:
            self.admin.execute(f"TRUNCATE {names} RESTART IDENTITY".encode())
            return
        emptied = "".join(f"DELETE FROM {table.name};" for table in reversed(self._tables))  # noqa: S608 (our tables)
        restarted = "".join(f"ALTER SEQUENCE {name} RESTART;" for name in self._sequences)
        self.admin.execute(f"BEGIN;{emptied}{restarted}COMMIT".encode())

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """What stands in the tables, without what may differ between equal runs."""
        columns = ", ".join(f"({_rows(table)}) AS {table.name}" for table in self._tables)
        row = self.admin.execute(f"SELECT {columns}".encode()).fetchone()
        assert row is not None  # noqa: S101 (a SELECT without FROM has one row)
        return {table.name: rows for table, rows in zip(self._tables, row, strict=True)}

    def unpublished(self, state: dict[str, list[dict[str, Any]]]) -> list[str]:
        """Messages that count as sent, and never were."""
        published = {out.properties.message_id for out in self.link.published}
        sent = [row for row in state["outbox"] if row["sent_at"] and not row["awaits_answer"] and row["address"] != ANSWER]
        return [row["type"] for row in sent if row["message_id"] not in published]


def _counts(table: Table) -> bool:
    """Whether its rows are numbered."""
    return "id" in table.columns and isinstance(table.c.id.type, Integer)


def _rows(table: Table) -> str:
    """One table as JSON; of times only whether they are there."""
    times = [f"'{column.name}', {column.name} IS NOT NULL" for column in table.columns if isinstance(column.type, Double)]
    left_out = [name for name, tables in NOT_COMPARED.items() if table.name in tables]
    row = f"to_jsonb(t) - ARRAY[{', '.join(map(repr, left_out))}]::text[] || jsonb_build_object({', '.join(times)})"
    return f"SELECT coalesce(jsonb_agg(r ORDER BY r::text), '[]') FROM (SELECT {row} AS r FROM {table.name} t) AS x"  # noqa: S608


@contextmanager
def stages(services: Sequence[str]) -> Iterator[dict[str, Stage]]:
    """Stages for these services, on the databases that DATABASE_URL names; they must be there, and are emptied."""
    use_runtime(Impatient())
    built: dict[str, Stage] = {}
    try:
        for name in services:
            built[name] = Stage(name)
        yield built
    finally:
        for stage in built.values():
            stage.close()
        use_runtime(None)

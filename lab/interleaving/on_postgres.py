"""Stages on PostgreSQL: threads that stop before each statement; what stands in the tables, asked in one question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Double, Integer, Table

from lab.interleaving.gated import put_gates
from lab.interleaving.gates import Choose, Crossing, Director
from lab.interleaving.stage import NOT_COMPARED, Impatient, Stage
from patterns.database import Database
from patterns.engine import database_url
from patterns.logs import get_logger
from patterns.message import Message
from patterns.runtime import use_runtime

TRUNCATE_EVERY = 100
"""Tables are emptied by DELETE, which is quick while they are small; so often what that leaves is swept away."""

DEADLOCK_TIMEOUT = "10ms"
"""After so long PostgreSQL looks whether those who wait for a lock wait for each other; its own default is a second."""


class PostgresStage(Stage):
    """One service on the database that DATABASE_URL names; ``admin``: an autocommit connection to it."""

    def __init__(self, name: str) -> None:
        url = database_url(name)
        self.admin: psycopg.Connection[Any] = psycopg.connect(
            url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)
        super().__init__(name, Database(name, url))
        self._see_deadlocks_soon()
        self.database.create_tables(self.service.metadata)
        put_gates(self.database)
        self._sequences = [f"{table.name}_id_seq" for table in self.tables if _counts(table)]
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

    def play(self, acts: Sequence[Callable[[], object]], choose: Choose) -> Crossing:
        """Let these cross, each in a thread.  Raises Stuck."""
        return Director(self.admin).play(acts, choose)

    def _request(self, answer: Message) -> str:
        asked = "SELECT message_id FROM outbox WHERE order_id = %s AND awaits_answer ORDER BY sent_at IS NULL DESC, id DESC"
        row = self.admin.execute(asked, [answer.order_id]).fetchone()
        return str(row[0]) if row else ""

    def empty(self) -> None:
        """Empty the tables."""
        self._resets += 1
        names = ", ".join(table.name for table in self.tables)
        if self._resets % TRUNCATE_EVERY == 1:
            self.admin.execute(f"TRUNCATE {names} RESTART IDENTITY".encode())
            return
        emptied = "".join(f"DELETE FROM {table.name};" for table in reversed(self.tables))  # noqa: S608 (our tables)
        restarted = "".join(f"ALTER SEQUENCE {name} RESTART;" for name in self._sequences)
        self.admin.execute(f"BEGIN;{emptied}{restarted}COMMIT".encode())

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """What stands in the tables, without what may differ between equal runs."""
        columns = ", ".join(f"({_rows(table)}) AS {table.name}" for table in self.tables)
        row = self.admin.execute(f"SELECT {columns}".encode()).fetchone()
        assert row is not None  # noqa: S101 (a SELECT without FROM has one row)
        return {table.name: rows for table, rows in zip(self.tables, row, strict=True)}


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
            built[name] = PostgresStage(name)
        yield built
    finally:
        for stage in built.values():
            stage.close()
        use_runtime(None)

"""Statements as ours sends them: prepared once for each connection; those whose answer nobody needs travel together."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A guard did not hold: a benchmark's orders all succeed, so something is wrong with it."""


class Statements:
    """One connection's statements, in a transaction that somebody else ends."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self._prepared: dict[str, str] = {}
        self._waiting: list[bytes] = []

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute it now, and answer its rows."""
        self.cursor.execute(self._call(statement, values))
        return list(self.cursor.fetchall())

    def one(self, statement: str, *values: Any) -> tuple[Any, ...]:
        """Execute it now, and answer its only row.  Raises Refused when there is none."""
        rows = self.rows(statement, *values)
        if len(rows) != 1:
            raise Refused(f"{len(rows)} rows instead of one: {statement} {values}")
        return rows[0]

    def later(self, statement: str, *values: Any) -> None:
        """Execute it before the commit; whether it did what it should, the books show in the end."""
        self._waiting.append(self._call(statement, values))

    def flush(self) -> None:
        """Execute what waits, in one round trip."""
        if self._waiting:
            self.cursor.execute(b"; ".join(self._waiting))
            self._waiting.clear()

    def _call(self, statement: str, values: tuple[Any, ...]) -> bytes:
        if statement not in self._prepared:
            name = self._prepared[statement] = f"s{len(self._prepared)}"
            parts = statement.split("%s")
            numbered = "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], start=1)) + parts[-1]
            self.cursor.execute(f"PREPARE {name} AS {numbered}")
        call = f"EXECUTE {self._prepared[statement]}"
        called: bytes = self.cursor.mogrify(f"{call} ({', '.join(['%s'] * len(values))})" if values else call, values)
        return called

"""The few things tests ask of any PostgreSQL server."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from patterns.errors import DatabaseUnavailable


class Postgres:
    """A PostgreSQL server we may create databases on; ``url`` names any database of it."""

    def __init__(self, url: str) -> None:
        self._url: URL = make_url(url).set(drivername="postgresql")
        self._admin: psycopg.Connection[Any] | None = None

    @property
    def description(self) -> str:
        """Which server this is, without its password."""
        version = str(self.execute(sql.SQL("SHOW server_version"))[0][0]).split()[0]
        return f"PostgreSQL {version} at {self._url.host}:{self._url.port or 5432} (DATABASE_URL)"

    def url(self, database: str) -> str:
        """Where a database is, as DATABASE_URL wants it; ``database`` may contain ``{service}``."""
        # SQLAlchemy would escape the braces of {service}, which are for the reader of DATABASE_URL to fill in.
        return self._url.set(database="NAME").render_as_string(hide_password=False).replace("/NAME", f"/{database}")

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database: empty, or a copy of ``template`` (to which nobody may be connected)."""
        copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self.execute(copied.format(sql.Identifier(name), sql.Identifier(template or "template1")) + self._how_copied())

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there; whoever is connected to it is cut off."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def databases(self) -> list[str]:
        """The names of all databases, templates of PostgreSQL's own left out."""
        rows = self.execute(sql.SQL("SELECT datname FROM pg_database WHERE NOT datistemplate"))
        return [row[0] for row in rows]

    def close_all_connections(self, database: str | None = None) -> int:
        """Cut clients off (of one database, or of all); answers how many there were."""
        rows = self.execute(
            sql.SQL(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
                " AND pid <> pg_backend_pid() AND ({name}::text IS NULL OR datname = {name})"
            ).format(name=sql.Literal(database))
        )
        return len(rows)

    def execute(self, command: sql.SQL | sql.Composed) -> list[tuple[Any, ...]]:
        """Run one command as administrator, outside any transaction; a connection found broken is made anew."""
        if self._admin is not None and not self._admin.closed:
            try:
                return self._run(self._admin, command)
            except psycopg.OperationalError:
                self._admin.close()
        self._admin = self._connect()
        return self._run(self._admin, command)

    def disconnect(self) -> None:
        """Close the administrator's connection."""
        if self._admin is not None:
            self._admin.close()

    def _how_copied(self) -> sql.SQL:
        """More words for CREATE DATABASE: how the template's files are copied."""
        return sql.SQL("")

    def _connect(self) -> psycopg.Connection[Any]:
        name = self._url.database if self._url.database and "{" not in self._url.database else "postgres"
        last: psycopg.Error | None = None
        for database in ("postgres", name):  # a managed server may offer us only our own database
            try:
                address = self._url.set(database=database).render_as_string(hide_password=False)
                return psycopg.connect(address, autocommit=True, connect_timeout=5)
            except psycopg.OperationalError as error:
                last = error
        raise DatabaseUnavailable(f"PostgreSQL at {self._url!r} does not let us in: {last}") from last

    @staticmethod
    def _run(connection: psycopg.Connection[Any], command: sql.SQL | sql.Composed) -> list[tuple[Any, ...]]:
        cursor = connection.execute(command)
        return cursor.fetchall() if cursor.description else []

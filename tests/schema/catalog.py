"""What a database itself says of its tables, in a form that can be compared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect, text

from patterns.quick import plain

POSTGRESQL = {
    "columns": """SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
                  FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraints": """SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)
                      FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}


def catalog(connection: Connection) -> dict[str, Any]:
    """Columns, constraints and indexes of every table but Alembic's own; the order of columns does not matter."""
    found = _postgresql(connection) if connection.dialect.name == "postgresql" else _sqlite(connection)
    return {kind: sorted(row for row in rows if row[0] != "alembic_version") for kind, rows in found.items()}


def _postgresql(connection: Connection) -> dict[str, Any]:
    return {kind: [tuple(map(str, row)) for row in connection.execute(text(query))] for kind, query in POSTGRESQL.items()}


def _sqlite(connection: Connection) -> dict[str, Any]:
    see = inspect(plain(connection))
    columns, constraints = [], []
    counting = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '% AUTOINCREMENT%'"))
    columns += [(name, "never gives an id twice") for (name,) in counting]
    for table in see.get_table_names():
        rows = connection.execute(text(f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}')"))
        columns += [(table, *map(str, row)) for row in rows]
        constraints += [(table, str(one["name"]), one["sqltext"]) for one in see.get_check_constraints(table)]
        constraints += [(table, str(one["name"]), str(one["column_names"])) for one in see.get_unique_constraints(table)]
    indexes = connection.execute(text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''"))
    return {"columns": columns, "constraints": constraints, "indexes": [tuple(map(str, row)) for row in indexes]}

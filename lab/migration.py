"""``python -m lab.migration order "index orders by status"``: write a service's next migration from its models.

It is a draft: what the models have and the migrations have not.  Alembic sees tables, columns, indexes and unique
constraints; a renamed column and a changed CHECK are yours to write (on SQLite with ``op.batch_alter_table``).
"""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.operations.ops import CreateIndexOp, CreateTableOp, MigrationScript, ModifyTableOps

from patterns.database import Database, Session
from patterns.engine import sqlite_url
from patterns.errors import SettingsError
from patterns.migrations import config_for, upgrade
from patterns.schema import migrations_of, numbers


def draft(service: str, words: str) -> Path:
    """Write the next migration; answers where.  Raises SettingsError when there is nothing to change."""
    folder, metadata = migrations_of(service), import_module(f"{service}.models").metadata
    if folder is None:
        raise SettingsError(f"{service} has no folder `migrations`")
    number = f"{len(numbers(folder)) + 1:04d}"

    def write(session: Session) -> Path:
        if number != "0001":
            upgrade(session, service, metadata)
        command.revision(
            config_for(service, session, metadata), words, autogenerate=True, rev_id=number, version_path=str(folder),
            process_revision_directives=_tolerant if number == "0001" else None,
        )
        return _tidied(next(folder.glob(f"{number}_*.py")))

    with TemporaryDirectory() as home:
        return Database(service, sqlite_url(Path(home), service)).transact(write)


def _tolerant(_: Any, __: Any, scripts: list[MigrationScript]) -> None:
    """The first migration also finds databases made before migrations were counted: it makes what they lack."""
    changes = scripts[0].upgrade_ops
    for operation in changes.ops if changes else ():
        parts = operation.ops if isinstance(operation, ModifyTableOps) else [operation]
        for part in parts:
            if isinstance(part, CreateTableOp | CreateIndexOp):
                part.if_not_exists = True


def _tidied(path: Path) -> Path:
    """Without Alembic's markers, and laid out like code."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.strip().startswith("###", 2)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", "--line-length=125", path], check=True)
    return path


if __name__ == "__main__":
    print(draft(sys.argv[1], " ".join(sys.argv[2:])))

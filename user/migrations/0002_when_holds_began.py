"""When holds began; and the id of a deleted customer is never given to another."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("holds", sa.Column("begun_at", sa.Double()))
    op.execute("UPDATE holds SET begun_at = changed_at")  # the nearest that is known
    with op.batch_alter_table("holds") as holds:
        holds.alter_column("begun_at", existing_type=sa.Double(), nullable=False)
    if op.get_context().dialect.name == "sqlite":  # PostgreSQL never gives an id twice anyway
        with op.batch_alter_table("users", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass

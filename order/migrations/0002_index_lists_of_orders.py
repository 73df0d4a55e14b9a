"""Index lists of orders."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index(op.f("orders_of_a_user"), table_name="orders")
    op.create_index(
        "orders_by_mode",
        "orders",
        ["mode", "placed_at", "id"],
        unique=False,
        if_not_exists=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "orders_by_status",
        "orders",
        ["status", "placed_at", "id"],
        unique=False,
        if_not_exists=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "orders_by_user_id",
        "orders",
        ["user_id", "placed_at", "id"],
        unique=False,
        if_not_exists=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "orders_in_time",
        "orders",
        ["placed_at", "id"],
        unique=False,
        if_not_exists=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )

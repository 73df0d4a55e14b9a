"""Ids of notifications, made of order and kind; and lists of them."""

from uuid import uuid5

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

before = sa.table(
    "notifications_before", sa.column("order_id", sa.Uuid()), sa.column("kind"), sa.column("user_id"), sa.column("text"),
    sa.column("told_at"),
)  # fmt: skip


def upgrade() -> None:
    op.rename_table("notifications", "notifications_before")
    if op.get_context().dialect.name == "postgresql":  # else the new table's key would get another name
        op.execute("ALTER INDEX notifications_pkey RENAME TO notifications_before_pkey")
    after = op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(length=600), nullable=False),
        sa.Column("told_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    for rows in op.get_bind().execute(sa.select(before)).partitions(1000):
        op.bulk_insert(after, [{"id": uuid5(row.order_id, row.kind), **row._mapping} for row in rows])
    op.drop_table("notifications_before")
    op.create_index("notifications_by_told_at_and_id", "notifications", ["told_at", "id"])
    op.create_index("notifications_by_order_id_and_told_at_and_id", "notifications", ["order_id", "told_at", "id"])
    op.create_index("notifications_by_user_id_and_told_at_and_id", "notifications", ["user_id", "told_at", "id"])

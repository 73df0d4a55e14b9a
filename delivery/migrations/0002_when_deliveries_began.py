"""When deliveries began, and lists of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("begun_at", sa.Double()))
    op.execute("UPDATE deliveries SET begun_at = changed_at")  # the nearest that is known
    with op.batch_alter_table("deliveries") as deliveries:
        deliveries.alter_column("begun_at", existing_type=sa.Double(), nullable=False)
    op.drop_index("ix_deliveries_user_id", "deliveries")
    op.create_index("deliveries_by_begun_at_and_order_id", "deliveries", ["begun_at", "order_id"])
    op.create_index("deliveries_by_state_and_begun_at_and_order_id", "deliveries", ["state", "begun_at", "order_id"])
    op.create_index("deliveries_by_user_id_and_begun_at_and_order_id", "deliveries", ["user_id", "begun_at", "order_id"])

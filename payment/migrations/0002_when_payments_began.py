"""When payments began, and lists of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("payments", sa.Column("begun_at", sa.Double()))
    op.execute("UPDATE payments SET begun_at = changed_at")  # the nearest that is known
    with op.batch_alter_table("payments") as payments:
        payments.alter_column("begun_at", existing_type=sa.Double(), nullable=False)
    op.drop_index("ix_payments_user_id", "payments")
    op.create_index("payments_by_begun_at_and_order_id", "payments", ["begun_at", "order_id"])
    op.create_index("payments_by_state_and_begun_at_and_order_id", "payments", ["state", "begun_at", "order_id"])
    op.create_index("payments_by_user_id_and_begun_at_and_order_id", "payments", ["user_id", "begun_at", "order_id"])

"""When reservations began; and the id of a deleted product is never given to another."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("reservations", sa.Column("begun_at", sa.Double()))
    op.execute("UPDATE reservations SET begun_at = changed_at")  # the nearest that is known
    with op.batch_alter_table("reservations") as reservations:
        reservations.alter_column("begun_at", existing_type=sa.Double(), nullable=False)
    op.create_index("reservations_by_begun_at_and_order_id", "reservations", ["begun_at", "order_id"])
    op.create_index("reservations_by_state_and_begun_at_and_order_id", "reservations", ["state", "begun_at", "order_id"])
    op.create_index("reservations_by_user_id_and_begun_at_and_order_id", "reservations", ["user_id", "begun_at", "order_id"])
    if op.get_context().dialect.name == "sqlite":  # PostgreSQL never gives an id twice anyway
        with op.batch_alter_table("products", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass

"""The order service's tables: orders with their saga record, their lines, and their history.

The row of an order decides how it ends: every ending is one ``UPDATE … WHERE status = 'PROCESSING'``.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
)

from patterns.journal import keep_journal

metadata = MetaData()

orders = Table(
    "orders", metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("mode", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("reason", String(500)),
    Column("saga_state", String(20), nullable=False),
    Column("amount_cents", BigInteger),
    Column("fingerprint", String(64), nullable=False),
    Column("placed_at", Double, nullable=False),
    Column("deadline_at", Double, nullable=False),
    Column("settled_at", Double),
    Column("undone_at", Double),
    Column("deleted_at", Double),
    CheckConstraint("status IN ('PROCESSING', 'SUCCESS', 'FAILED')", name="a_known_status"),
    CheckConstraint("(status = 'PROCESSING') = (settled_at IS NULL)", name="settled_is_settled"),
    CheckConstraint("undone_at IS NULL OR status <> 'SUCCESS'", name="a_success_is_never_undone"),
    CheckConstraint("status <> 'SUCCESS' OR amount_cents IS NOT NULL", name="a_success_has_an_amount"),
)
Index("orders_open", orders.c.deadline_at, sqlite_where=orders.c.status == "PROCESSING",
      postgresql_where=orders.c.status == "PROCESSING")
SHOWN = orders.c.deleted_at.is_(None)
"""What clients still see; these indexes serve their lists, the newest first."""
Index("orders_in_time", orders.c.placed_at, orders.c.id, sqlite_where=SHOWN, postgresql_where=SHOWN)
for column in (orders.c.user_id, orders.c.status, orders.c.mode):
    Index(f"orders_by_{column.name}", column, orders.c.placed_at, orders.c.id, sqlite_where=SHOWN, postgresql_where=SHOWN)

order_lines = Table(
    "order_lines", metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("product_id", BigInteger, primary_key=True),
    Column("quantity", BigInteger, nullable=False),
)

history = Table(
    "history", metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("order_id", Uuid, nullable=False, index=True),
    Column("happened_at", Double, nullable=False),
    Column("event", String(40), nullable=False),
    Column("saga_state", String(20), nullable=False),
    Column("reason", String(500)),
)

keep_journal(metadata)

"""The notification service's table: what customers were told."""

from sqlalchemy import BigInteger, Column, Double, Index, MetaData, String, Table, Uuid

from patterns.journal import keep_journal

metadata = MetaData()

notifications = Table(
    "notifications", metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("text", String(600), nullable=False),
    Column("told_at", Double, nullable=False),
)
Index("notifications_of_a_user", notifications.c.user_id, notifications.c.told_at)

keep_journal(metadata)

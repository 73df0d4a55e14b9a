"""The notification service's table: what customers were told."""

from sqlalchemy import BigInteger, Column, Double, MetaData, String, Table, Uuid

from patterns.journal import keep_journal
from patterns.pages import keep_sorted

metadata = MetaData()

notifications = Table(
    "notifications", metadata,
    Column("id", Uuid, primary_key=True),  # made of order and kind: each kind of news is told once
    Column("order_id", Uuid, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("text", String(600), nullable=False),
    Column("told_at", Double, nullable=False),
)
keep_sorted(notifications, "told_at", "id", by=("order_id", "user_id"))

keep_journal(metadata)

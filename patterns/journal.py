"""The journal: what a service heard (inbox) and said (outbox), in its own database.

The rows make delivery safe (:mod:`patterns.inbox`, :mod:`patterns.outbox`) and answer ``GET /messages?order_id=``.
They are pruned after JOURNAL_DAYS; what must be remembered for ever stands in the step rows (:mod:`patterns.step`).
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    delete,
    select,
    tuple_,
)

from patterns.database import Session, now

PRUNE_ROWS = 500
"""Rows of a table removed in one transaction: few, so that nobody waits for it."""

_metadata = MetaData()

inbox = Table(
    "inbox", _metadata,
    Column("service", String(20), primary_key=True),
    Column("message_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False, index=True),
    Column("type", String(40), nullable=False),
    Column("mode", String(10), nullable=False),
    Column("queue", String(100), nullable=False),
    Column("handler", String(60), nullable=False),
    Column("sender", String(60)),
    Column("heard_at", Double, nullable=False, index=True),
)

outbox = Table(
    "outbox", _metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("message_id", Uuid, nullable=False),
    Column("order_id", Uuid, nullable=False, index=True),
    Column("type", String(40), nullable=False),
    Column("mode", String(10), nullable=False),
    Column("address", String(120), nullable=False),
    Column("exchange", String(100), nullable=False),
    Column("routing_key", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("correlation_id", String(255), nullable=False),
    Column("awaits_answer", Boolean, nullable=False),
    Column("said_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Double),
    UniqueConstraint("message_id", name="outbox_says_it_once"),
)
Index("outbox_unsent", outbox.c.due_at, sqlite_where=outbox.c.sent_at.is_(None),
      postgresql_where=outbox.c.sent_at.is_(None))
Index("outbox_sent", outbox.c.sent_at)


def keep_journal(metadata: MetaData) -> None:
    """Give a service's tables an inbox and an outbox beside them, unless they are there."""
    for table in (inbox, outbox):
        if table.name not in metadata.tables:
            table.to_metadata(metadata)


def messages(session: Session, order_id: UUID, service: str) -> list[dict[str, Any]]:
    """What this service heard and said about an order, in time."""
    heard = session.execute(select(inbox).where(inbox.c.order_id == order_id, inbox.c.service == service))
    said = session.execute(select(outbox).where(outbox.c.order_id == order_id))
    rows = [
        {"at": row.heard_at, "service": service, "direction": "heard", "type": row.type, "mode": row.mode,
         "where": row.queue, "other": row.sender, "handler": row.handler, "message_id": row.message_id, "sent": None}
        for row in heard
    ] + [
        {"at": row.said_at, "service": service, "direction": "said", "type": row.type, "mode": row.mode,
         "where": row.address, "other": None, "handler": None, "message_id": row.message_id,
         "sent": row.sent_at is not None}
        for row in said
    ]
    return sorted(rows, key=lambda row: row["at"])


def prune(session: Session, keep_seconds: float) -> bool:
    """Remove some of what is older and done with; says whether there may be more."""
    removed = [session.execute(_pruning(table, at, keep_seconds, PRUNE_ROWS)).rowcount for table, at in AGES]
    return max(removed) >= PRUNE_ROWS


AGES = ((inbox, inbox.c.heard_at), (outbox, outbox.c.sent_at))


@cache
def _pruning(table: Table, at: Column[float], keep_seconds: float, most: int) -> Any:
    """The oldest rows, but for those another instance is removing at this moment."""
    key = tuple_(*table.primary_key.columns)
    old = select(*table.primary_key.columns).where(at < now(-keep_seconds)).order_by(at).limit(most)
    return delete(table).where(key.in_(old.with_for_update(skip_locked=True)))

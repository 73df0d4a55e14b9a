"""Inbox: hear it once.

One row for each (service, message id), written in the transaction of the effect: a redelivered message finds it and
changes nothing.  https://microservices.io/patterns/communication-style/idempotent-consumer.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from patterns.database import Session
from patterns.journal import inbox
from patterns.many import insert_new


def first_times(session: Session, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Note that these messages are heard; answers the ids of those that were not heard before."""
    if not rows:
        return set()
    # Sorted, so that two instances that hear the same messages wait for each other instead of deadlocking.
    ordered = sorted({row["message_id"]: row for row in rows}.values(), key=lambda row: str(row["message_id"]))
    return {row[0] for row in insert_new(session, ordered, inbox.c.message_id, (("heard_at", 0.0),))}

"""Outbox: say it in the transaction of the effect, send it afterwards.

A row is written with the effect, so that either both are there or neither; it is published straight after the commit,
and by the relay when a crash or a broken connection came between.  A row is *due* when its time comes and it is not
sent: for the relay both a message that was never confirmed and an RPC request that was not answered are simply due.
https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, case, func, select, update

from patterns.database import Session, now
from patterns.envelope import Said
from patterns.journal import outbox
from patterns.many import insert_new
from patterns.sql import among, beside_key

GRACE_SECONDS = 1.0
"""How long whoever committed a row has to publish it, and a request to be answered, before the relay does it."""

LONGEST_PAUSE_SECONDS = 30.0
CLAIM_ROWS = 100

_STILL_UNSENT = beside_key(outbox.c.sent_at).is_(None)

_ANSWERED = (
    update(outbox).values(sent_at=now()).where(
        outbox.c.message_id == bindparam("request"), outbox.c.order_id == bindparam("about"), _STILL_UNSENT)
)

_DUE = (
    select(outbox.c.id).where(outbox.c.sent_at.is_(None), outbox.c.due_at <= now())
    .order_by(outbox.c.due_at).limit(CLAIM_ROWS).with_for_update(skip_locked=True)
)

_PAUSE = case({0: 1.0, 1: 2.0, 2: 4.0, 3: 8.0, 4: 16.0}, value=outbox.c.attempts, else_=LONGEST_PAUSE_SECONDS)

_CLAIMING = (
    update(outbox).where(outbox.c.id.in_(_DUE)).values(attempts=outbox.c.attempts + 1, due_at=now() + _PAUSE)
    .returning(outbox)
)

_TIMES = (("said_at", 0.0), ("due_at", GRACE_SECONDS))
_REPLY_TIMES = (*_TIMES, ("sent_at", 0.0))
_FIELDS = tuple(field.name for field in fields(Said))


class Written(Sequence[Said]):
    """What is to be said of what was handed over: all that was not said before, and every reply.

    Which that is, PostgreSQL tells when somebody looks: after the commit, so that both go there in one trip.
    """

    def __init__(self, said: Sequence[Said], inserted: Sequence[Iterable[Row[Any]]]) -> None:
        self._said, self._inserted = said, inserted

    def __len__(self) -> int:
        return len(self._new)

    def __getitem__(self, which: Any) -> Any:
        return self._new[which]

    @cached_property
    def _new(self) -> list[Said]:
        written = {row[0] for rows in self._inserted for row in rows}
        return [one for one in self._said if one.is_reply or one.message_id in written]


def add(session: Session, said: Sequence[Said]) -> Written:
    """Write what is said; answers what of it is to be sent once this is committed.

    A reply's row is for the journal only: it counts as sent, since nobody sends it again.
    """
    rows = [{**{name: getattr(one, name) for name in _FIELDS}, "attempts": 0} for one in said]
    inserted: list[Iterable[Row[Any]]] = []
    for replies in (False, True):
        some = [row for row, one in zip(rows, said, strict=True) if one.is_reply is replies]
        if some:
            inserted.append(insert_new(session, some, outbox.c.message_id, _REPLY_TIMES if replies else _TIMES))
    return Written(said, inserted)


def claim(session: Session) -> list[Said]:
    """The rows that are due, those first that have been so for longest; due again after a pause that doubles (1 s to 30 s).

    Two relays never claim the same row at once: each skips what the other has locked.
    """
    rows = sorted(session.execute(_CLAIMING), key=lambda row: int(row.id))
    return [Said(**{name: getattr(row, name) for name in _FIELDS}) for row in rows]


def mark_sent(session: Session, message_ids: Collection[UUID]) -> None:
    """Note that these are done: the broker has the message, or the RPC request is answered."""
    if message_ids:
        ids = list(message_ids)
        session.execute(_marking(session.dialect.name, len(ids) == 1), {"ids": ids[0] if len(ids) == 1 else ids})


@cache
def _marking(dialect: str, one: bool) -> Any:
    these = outbox.c.message_id == bindparam("ids") if one else among(dialect, outbox.c.message_id, "ids")
    return update(outbox).where(these, _STILL_UNSENT).values(sent_at=now())


def unsent(session: Session) -> int:
    """How many rows wait to be sent or answered."""
    count: Any = session.execute(select(func.count()).where(outbox.c.sent_at.is_(None))).scalar_one()
    return int(count)


def backlog(session: Session) -> tuple[int, float]:
    """How many rows wait to be sent or answered, and how many seconds the oldest has waited."""
    oldest = func.coalesce(now() - func.min(outbox.c.said_at), 0.0)
    found: Any = session.execute(select(func.count(), oldest).where(outbox.c.sent_at.is_(None))).one()
    return int(found[0]), max(float(found[1]), 0.0)


def mark_answered(session: Session, answers: Sequence[tuple[str | None, UUID]]) -> None:
    """Note that these RPC requests, each by its message id and its order, are answered: only now are they done."""
    for given, order_id in answers:
        if request := _id(given):
            session.execute(_ANSWERED, {"request": request, "about": order_id})


def _id(given: str | None) -> UUID | None:
    try:
        return UUID(given or "")
    except ValueError:
        return None  # no request of ours has such an id

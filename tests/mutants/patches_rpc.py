"""Defences of the conversations taken away: time-outs, stored answers, correlation, unknown commits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from order import crud as orders
from patterns import inbox, listener, outbox, service
from patterns.envelope import Said
from patterns.errors import CommitUnknown
from patterns.hearing import Heard
from patterns.journal import outbox as said_rows
from patterns.listener import Listener
from patterns.message import Message
from patterns.relay import Relay
from patterns.runtime import runtime
from patterns.service import Service
from patterns.voice import Voice
from tests.mutants.patches_flow import another_id


def a_timeout_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    real = service.converse

    def converse(said: Sequence[Said], voice: Voice, ears: Listener, relay: Relay, until: float) -> None:
        real(said, voice, ears, relay, until)
        if runtime().monotonic() >= until:
            order_id = said[0].order_id
            ears.database.transact(
                lambda session: orders.fail(session, order_id, "TimedOut", "no answer in time", undone=True))

    monkeypatch.setattr(service, "converse", converse)


def questions_are_heard_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver(session: Any, name: str, batch: Sequence[Heard], wirings: Any, _: Any = None) -> list[Said]:
        first = inbox.first_times(session, [listener._inbox_row(name, heard) for heard in batch])
        said: list[Said] = []
        for heard in batch:
            if heard.answers:
                outbox.mark_answered(session, heard.delivery.properties.correlation_id, heard.message.order_id)
            if heard.id in first:
                first.discard(heard.id)
                asker = heard.delivery if heard.asks else None
                said += listener.addressed(heard.handle(session), wirings, heard.context, asker)
        return outbox.add(session, said)

    monkeypatch.setattr(listener, "deliver", deliver)


def answers_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def mark_answered(session: Any, request_id: str | None, order_id: UUID) -> None:
        del request_id, order_id
        waiting = select(said_rows.c.id).where(said_rows.c.sent_at.is_(None), said_rows.c.awaits_answer)
        oldest = waiting.order_by(said_rows.c.id).limit(1).scalar_subquery()
        session.execute(update(said_rows).where(said_rows.c.id == oldest).values(sent_at=0.0))

    monkeypatch.setattr(outbox, "mark_answered", mark_answered)


def the_question_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "mark_answered", lambda *_: None)


def a_question_is_done_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Voice.say

    def say(self: Voice, said: Sequence[Said]) -> None:
        real(self, said)
        self._note_sent([one.message_id for one in said if one.awaits_answer])

    monkeypatch.setattr(Voice, "say", say)


def asked_anew_after_an_unknown_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Service.perform

    def perform(self: Service, message: Message, **how: Any) -> tuple[Message, ...]:
        try:
            return real(self, message, **how)
        except CommitUnknown:
            return real(self, message.model_copy(update={"order_id": another_id()}), **how)

    monkeypatch.setattr(Service, "perform", perform)

"""Defences of the messages taken away: acknowledgements, outbox, confirms, inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest
from sqlalchemy.exc import DBAPIError

from lab.simulation.broker import SimulatedChannel
from patterns import database, envelope, inbox, listener, outbox, service, topology
from patterns.amqp import Channel, Delivery, Outgoing
from patterns.broker.channel import EmbeddedChannel
from patterns.envelope import Said
from patterns.errors import ConnectionLost, DatabaseUnavailable
from patterns.hearing import Heard
from patterns.link import Link
from patterns.listener import Listener
from patterns.mishaps import Mishaps
from patterns.relay import Relay
from patterns.retry import Retries
from patterns.runtime import runtime
from patterns.settings import Settings
from patterns.voice import Voice


def ack_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(self: Listener, channel: Channel, deliveries: list[Delivery]) -> None:
        channel.ack(max(delivery.tag or 0 for delivery in deliveries), multiple=True)
        self.handle(deliveries)

    monkeypatch.setattr(Listener, "_work", work)


def auto_ack(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(self: Listener, channel: Channel) -> None:
        for queue in (*topology.heard_queues(self.service, self.wirings), topology.dead_queue(self.service)):
            channel.consume(queue, auto_ack=True)

    monkeypatch.setattr(Listener, "_prepare", prepare)
    monkeypatch.setattr(Listener, "_work", lambda self, _, deliveries: self.handle(deliveries))


def no_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "add", lambda _, said: list(said))


def publish_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    add, deliver, act = outbox.add, listener.deliver, service.Service._act
    speaking: dict[int, Voice] = {}  # by session: whose voice it is that says too early

    def too_early(session: Any, said: Sequence[Said]) -> list[Said]:
        written = add(session, said)
        voice = speaking.get(id(session))
        if voice is not None and voice.link.connected:
            voice.publish([voice._outgoing(one) for one in written])
        return written

    def early_act(self: service.Service, session: Any, *asked: Any) -> Any:
        speaking[id(session)] = self.voice
        try:
            return act(self, session, *asked)
        finally:
            del speaking[id(session)]

    def transact(self: Listener, batch: Sequence[Heard]) -> list[Said]:
        def early(session: Any) -> list[Said]:
            speaking[id(session)] = self.voice
            try:
                return deliver(session, self.service, batch, self.wirings, self._lock_rows)
            finally:
                del speaking[id(session)]

        return self.database.transact(early)

    monkeypatch.setattr(outbox, "add", too_early)
    monkeypatch.setattr(service.Service, "_act", early_act)
    monkeypatch.setattr(Listener, "_transact", transact)


def sent_before_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Voice.say

    def say(self: Voice, said: Sequence[Said]) -> None:
        self._note_sent([one.message_id for one in said if not one.awaits_answer and not one.is_reply])
        real(self, said)

    monkeypatch.setattr(Voice, "say", say)


def no_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    def say(self: Voice, said: Sequence[Said]) -> None:
        if said and self.link.connected:
            self.link.channel().publish([self._outgoing(one) for one in said])
            self._note_sent([one.message_id for one in said if not one.awaits_answer and not one.is_reply])

    monkeypatch.setattr(Voice, "say", say)


def no_mandatory(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Said.outgoing

    def outgoing(self: Said, sender: str, reply_to: str | None = None) -> Outgoing:
        out = real(self, sender, reply_to)
        return Outgoing(out.exchange, out.routing_key, out.body, out.properties, mandatory=False)

    monkeypatch.setattr(Said, "outgoing", outgoing)


def transient(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Said.outgoing

    def outgoing(self: Said, sender: str, reply_to: str | None = None) -> Outgoing:
        out = real(self, sender, reply_to)
        return replace(out, properties=replace(out.properties, persistent=False))

    monkeypatch.setattr(Said, "outgoing", outgoing)


def no_inbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "first_times", lambda _, rows: {row["message_id"] for row in rows})


def inbox_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    real = inbox.first_times

    def first_times(session: Any, rows: Sequence[dict[str, Any]]) -> set[UUID]:
        first = real(session, rows)
        session.commit()
        return first

    monkeypatch.setattr(inbox, "first_times", first_times)


def a_new_id_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def message_id(order_id: UUID, message_type: str, address: str) -> UUID:
        return uuid5(order_id, f"{message_type}:{address}:{runtime().token()}")

    monkeypatch.setattr(envelope, "message_id", message_id)


def one_id_for_all_hearers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "message_id", lambda order_id, kind, _: uuid5(order_id, kind))


def relay_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Relay, "sweep", lambda _: None)


def dropped_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(self: Listener, channel: Channel, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            try:
                self.handle([delivery])
                channel.ack(delivery.tag or 0)
            except DatabaseUnavailable:
                channel.nack(delivery.tag or 0, requeue=False)

    def handle(self: Listener, batch: Sequence[Heard]) -> None:
        if batch:
            self.voice.say(self.database.transact(listener.deliver, self.service, batch, self.wirings, self._lock_rows))

    monkeypatch.setattr(Listener, "_work", work)
    monkeypatch.setattr(Listener, "_handle", handle)


def a_deadlock_is_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Mishaps.failed

    def failed(self: Mishaps, delivery: Delivery, error: Exception) -> None:
        if isinstance(error, DBAPIError):
            self._park(delivery, error, "refused")
        else:
            real(self, delivery, error)

    monkeypatch.setattr(database, "TRY_AGAIN", frozenset())
    monkeypatch.setattr(Mishaps, "failed", failed)


def a_deadlock_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "TRY_AGAIN", frozenset())


def poison_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def park(_: Retries, delivery: Delivery, *__: Any) -> None:
        raise ConnectionLost(f"{delivery.properties.type} goes back to its queue")

    monkeypatch.setattr(Retries, "park", park)


def deaf_after_a_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Link.__init__

    def init(self: Link, *arguments: Any) -> None:
        real(self, *arguments)
        prepare, made = self.prepare, []

        def once(channel: Channel) -> None:
            if not made:
                prepare(channel)
            made.append(channel)

        self.prepare = once

    monkeypatch.setattr(Link, "__init__", init)


def queues_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fanout queue lives as long as its consumer, as in many a tutorial."""
    real = topology.declare_queue

    def declare_queue(channel: Any, name: str, arguments: Any, config: Settings) -> None:
        if name.endswith(".fanout"):
            channel.declare_queue(name, auto_delete=True)
        else:
            real(channel, name, arguments, config)

    monkeypatch.setattr(topology, "declare_queue", declare_queue)
    monkeypatch.setattr(SimulatedChannel, "pipeline", EmbeddedChannel.pipeline)

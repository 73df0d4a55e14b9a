"""Guarantees taken away: each is the way it was done where the accident happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, insert, update

from order import crud as orders
from patterns import inbox, step, topology
from patterns.amqp import DIRECT_REPLY_TO, Cancelled, Channel, Delivery, Receipt
from patterns.broker import exchanges
from patterns.database import Session, now
from patterns.envelope import Said
from patterns.errors import BrokerUnavailable
from patterns.link import Link
from patterns.listener import Listener
from patterns.relay import Relay
from patterns.service import Service
from patterns.voice import Voice

Patch = pytest.MonkeyPatch
Without = Callable[[Patch], None]


def _believing(patch: Patch, *taken_for_done: Receipt, requests: bool = False) -> None:
    """A voice that takes these receipts for a message that arrived."""

    def say(self: Voice, said: Sequence[Said]) -> None:
        if not said:
            return
        try:
            receipts = self.link.channel().publish([self._outgoing(one) for one in said])
        except BrokerUnavailable:
            receipts = [Receipt.UNKNOWN] * len(said)
        self._note_sent([
            one.message_id for one, receipt in zip(said, receipts, strict=True)
            if receipt in (Receipt.CONFIRMED, *taken_for_done) and not one.is_reply and (requests or not one.awaits_answer)
        ])

    patch.setattr(Voice, "say", say)


def confirms(patch: Patch) -> None:
    """Publish and forget: what the connection swallowed counts as sent."""
    _believing(patch, Receipt.UNKNOWN)


def returns(patch: Patch) -> None:
    """Nobody looks at what came back: a message without a queue counts as sent."""
    _believing(patch, Receipt.RETURNED)


def asking_again(patch: Patch) -> None:
    """A request that was published counts as done: who lost the answer is never told."""
    _believing(patch, requests=True)


def reconnecting(patch: Patch) -> None:
    """A connection that broke stays broken."""

    def run(self: Link) -> None:
        try:
            self._live()
        except BrokerUnavailable as error:
            self._lost(error)

    patch.setattr(Link, "_run", run)


def consuming_again(patch: Patch) -> None:
    """The connection comes back, its consumers do not."""
    real, prepared = Listener._prepare, set[int]()

    def prepare(self: Listener, channel: Channel) -> None:
        if id(self) not in prepared:
            prepared.add(id(self))
            real(self, channel)

    patch.setattr(Listener, "_prepare", prepare)


def noticing_cancels(patch: Patch) -> None:
    """Nobody notices that the broker ended a consumer."""

    def turn(self: Link, channel: Channel, timeout: float | None) -> bool:
        items = channel.take(self.limit, timeout)
        deliveries = [item for item in items if not isinstance(item, Cancelled)]
        if deliveries:
            self.work(channel, deliveries)
        return bool(items)

    patch.setattr(Link, "_turn", turn)


def hearing_answers_again(patch: Patch) -> None:
    """The asker's connection comes back without its reply queue."""
    prepared = set[int]()

    def prepare(self: Voice, channel: Channel) -> None:
        topology.declare_known(channel)
        if id(self) not in prepared and any(wiring.hears_answers for wiring in self.wirings.values()):
            channel.consume(DIRECT_REPLY_TO, auto_ack=True)
        prepared.add(id(self))

    patch.setattr(Voice, "_prepare", prepare)


def ack_after_the_work(patch: Patch) -> None:
    """Acknowledged first, handled then."""

    def work(self: Listener, channel: Channel, deliveries: Sequence[Delivery]) -> None:
        channel.ack(max(delivery.tag or 0 for delivery in deliveries), multiple=True)
        self.handle(deliveries)

    patch.setattr(Listener, "_work", work)


def memory_of_what_was_done(patch: Patch) -> None:
    """No inbox, and steps that are done as often as they are asked for."""

    def begin(session: Session, steps: Table, order_id: UUID, state: str, **values: Any) -> bool:
        session.execute(delete(steps).where(steps.c.order_id == order_id))
        session.execute(insert(steps).values(order_id=order_id, state=state, begun_at=now(), changed_at=now(), **values))
        return True

    patch.setattr(inbox, "first_times", lambda _, rows: {row["message_id"] for row in rows})
    patch.setattr(step, "begin", begin)


def the_relay(patch: Patch) -> None:
    """Nobody publishes what a crash left in the outbox."""
    patch.setattr(Relay, "sweep", lambda _: None)


def the_relays_own_pace(patch: Patch) -> None:
    """The relay looks only when somebody has said something new."""
    real_sweep, real_say = Relay.sweep, Relay.say_soon
    spoken = set[int]()

    def say_soon(self: Relay, said: Sequence[Said]) -> None:
        if said:
            spoken.add(id(self))
        real_say(self, said)

    def sweep(self: Relay) -> None:
        if id(self) in spoken:
            spoken.remove(id(self))
            real_sweep(self)

    patch.setattr(Relay, "say_soon", say_soon)
    patch.setattr(Relay, "sweep", sweep)


def commit_before_saying(patch: Patch) -> None:
    """What is said goes out in the middle of the transaction that may still fail."""
    real = Service._act

    def act(self: Service, session: Session, *arguments: Any) -> Any:
        answers, said = real(self, session, *arguments)
        try:
            self.voice.link.channel().publish([self.voice._outgoing(one) for one in said])
        except BrokerUnavailable:
            return answers, said
        return answers, said

    patch.setattr(Service, "_act", act)


def tombstones(patch: Patch) -> None:
    """An undo that comes before its request leaves no trace."""
    patch.setattr(step, "undo", step.move)


def one_ending(patch: Patch) -> None:
    """An ending is written whatever the order was before."""

    def settle(session: Session, order_id: UUID, event: str, **changes: Any) -> Any:
        table = orders.orders
        blind = update(table).where(table.c.id == order_id).values(**{"settled_at": now(), "undone_at": None, **changes})
        row = session.execute(blind.returning(table.c.user_id, table.c.mode, table.c.saga_state)).one_or_none()
        if row is not None:
            orders.note(session, order_id, event, row.saga_state, changes.get("reason"))
        return row

    patch.setattr(orders, "_settle", settle)


def stars(patch: Patch) -> None:
    """A broker for tests that takes patterns for plain keys."""
    patch.setattr(exchanges, "topic_matches", lambda pattern, key: pattern == key)

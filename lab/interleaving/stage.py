"""The stage: a service's real listener, relay and database, and what stands in its tables before and after.

Only the broker is left out: what would be published is written down.  Ids are the same in every run, so that runs can be
compared.  The database is a PostgreSQL (:mod:`lab.interleaving.on_postgres`) or the simulated one that is like it
(:mod:`lab.interleaving.on_twin`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from lab.interleaving.gates import Choose, Crossing
from lab.shop import app_of
from patterns import journal
from patterns.address import Answer, Rpc
from patterns.amqp import DIRECT_REPLY_TO, Delivery, Outgoing, Receipt
from patterns.database import Database
from patterns.envelope import Context, seal, seal_reply
from patterns.errors import Unreadable
from patterns.link import Link
from patterns.listener import Listener
from patterns.message import ANSWER, Message
from patterns.relay import Relay
from patterns.runtime import Runtime
from patterns.service import Service
from patterns.voice import Voice

NAMES = UUID("00000000-0000-0000-0000-0000000c2055")
NOT_COMPARED = {"id": ("outbox", "history"), "attempts": ("outbox",)}
"""Columns that may differ between equal runs."""


class Impatient(Runtime):
    """No pauses, and no time: who waits how long decides nothing here, the gates do."""

    def now(self) -> float:
        """Always the same, so that messages that carry a deadline can be compared."""
        return 1_000_000_000.0

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


class OpenLink(Link):
    """A link whose channel takes every message, and writes it down."""

    def __init__(self, name: str) -> None:
        nowhere: Any = None
        super().__init__(name, nowhere, lambda _: None, lambda *_: None, 1)
        self.published: list[Outgoing] = []

    @property
    def trouble(self) -> str | None:
        """None: it works."""
        return None

    def channel(self, timeout: float = 30.0) -> Any:  # noqa: ARG002 (nobody waits)
        """Itself: of a channel only ``publish`` is asked."""
        return self

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:  # noqa: ARG002
        """Write them down."""
        self.published += messages
        return [Receipt.CONFIRMED] * len(messages)


class Stage(ABC):
    """One service, ready to be played with."""

    def __init__(self, name: str, database: Database) -> None:
        self.name, self.mode, self.database = name, "topic", database
        self.heard = 0
        """Messages that acts have heard since the last reset."""
        self.service: Service = app_of(name).state.service
        self.link = OpenLink(f"{name}.voice")
        nowhere: Any = None
        self.voice = Voice(name, nowhere, database, self.service.wirings, lambda *_: None)
        self.voice.link = self.link
        self.listener = Listener(
            name, nowhere, database, self.service.wirings, self.voice, self.service._lock_rows)
        self.relay = Relay(name, database, self.voice)
        self.tables = [table for table in self.service.metadata.sorted_tables if table.name != "alembic_version"]

    @abstractmethod
    def close(self) -> None:
        """Give back what it uses."""

    @abstractmethod
    def play(self, acts: Sequence[Callable[[], object]], choose: Choose) -> Crossing:
        """Let these cross: ``choose`` says who goes on, until all are done."""

    def alone(self, act: Callable[[], object]) -> None:
        """Do this while nobody else is there."""
        act()

    # -- what acts may do

    def hear(self, *messages: Message, again: str = "") -> None:
        """Handle these as one batch, as if they arrived at the service's queue; ``again``: under other ids."""
        self.heard += len(messages)
        self.listener.handle([self.delivery(message, again) for message in messages])

    def perform(self, wish: Message) -> tuple[Message, ...]:
        """One of the service's acts, asked for over HTTP."""
        answers, said = self.database.transact(self.service._act, wish, None)
        self.voice.say(said)
        return answers

    def do(self, work: Callable[..., Any], *args: Any) -> Any:
        """One of the service's verbs, asked for over HTTP."""
        return self.database.transact(work, *args)

    def prune(self) -> bool:
        """What the relay removes once a minute; here, whatever its age."""
        return self.database.transact(journal.prune, -1.0)

    def sweep(self) -> None:
        """A round of the relay."""
        self.relay.sweep()

    def delivery(self, message: Message, again: str = "") -> Delivery:
        """A message as it arrives in this mode, where this service hears it."""
        line = self.service.wirings[self.mode].line(lambda _: True, type(message))
        if line is None:
            raise Unreadable(f"{self.name} does not hear {message.type} in mode {self.mode}")
        if isinstance(line.address, Answer):
            said = seal_reply(message, Context(self.mode), DIRECT_REPLY_TO, self._request(message))
        else:
            said = seal(message, line.address, Context(self.mode), awaits_answer=isinstance(line.address, Rpc))
        if again:
            said = replace(said, message_id=uuid5(said.message_id, again))
        out = said.outgoing("elsewhere", reply_to=f"{DIRECT_REPLY_TO}.somebody")
        queue, tag = (DIRECT_REPLY_TO, None) if isinstance(line.address, Answer) else (line.address.queue_for(self.name), 1)
        return Delivery(queue, tag, out.exchange, out.routing_key, out.body, out.properties)

    @abstractmethod
    def _request(self, answer: Message) -> str:
        """The request of ours that this answers: the last one about the order that is open."""

    # -- before and after a run

    def reset(self, mode: str) -> None:
        """Empty the tables; ids begin again at 1."""
        self.mode, self.heard = mode, 0
        self.link.published.clear()
        self.listener.counts.clear()
        self.empty()

    @abstractmethod
    def empty(self) -> None:
        """Empty the tables; ids begin again at 1."""

    @abstractmethod
    def state(self) -> dict[str, list[dict[str, Any]]]:
        """What stands in the tables, without what may differ between equal runs: ids, and when exactly."""

    def unpublished(self, state: dict[str, list[dict[str, Any]]]) -> list[str]:
        """Messages that count as sent, and never were."""
        published = {out.properties.message_id for out in self.link.published}
        sent = [row for row in state["outbox"] if row["sent_at"] and not row["awaits_answer"] and row["address"] != ANSWER]
        return [row["type"] for row in sent if row["message_id"] not in published]

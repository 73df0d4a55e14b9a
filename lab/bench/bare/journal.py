"""One transaction for all messages that are ready: inbox, steps, outbox; and what is to be published then."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from lab.bench.bare import steps, texts
from lab.bench.bare.statements import Refused, Statements
from lab.bench.bare.steps import Body

REPLIES = "amq.rabbitmq.reply-to"
"""Where answers to requests arrive: RabbitMQ's direct reply-to."""


@dataclass(slots=True)
class Letter:
    """A message that arrived."""

    tag: int
    queue: str
    properties: Any
    body: bytes


@dataclass(slots=True)
class Said:
    """A message to publish; ``reply_to`` is set for answers to requests."""

    id: str
    type: str
    order_id: str
    mode: str
    address: str
    exchange: str
    key: str
    body: str
    headers: dict[str, Any]
    correlation_id: str
    awaits_answer: bool
    is_reply: bool = False


class Journal:
    """One role's database, and its part of the shape: what it hears in which queue, and says where."""

    def __init__(self, service: str, shape: dict[str, Any], url: str) -> None:
        self.service, self.gateway = service, float(shape["gateway_seconds"])
        self.modes: dict[str, Any] = shape["services"][service]
        self.heard = {
            queue: (mode, handlers) for mode, part in self.modes.items() for queue, handlers in part["hears"].items()
        }
        self.queues = [queue for queue in self.heard if queue != REPLIES]
        self._database = psycopg2.connect(url)
        self._sql = Statements(self._database.cursor())

    def handle(self, letters: Sequence[Letter]) -> list[Said]:
        """Let each step work, in one transaction; what no step is for is passed over."""
        known = [(letter, *self._line(letter)) for letter in letters]
        batch = [(letter, mode, handler, json.loads(letter.body)) for letter, mode, handler in known if handler]
        if not batch:
            return []
        if self.service == "payment":
            for _ in batch:
                steps.ask_gateway(self.gateway)
        with self._database:
            self._hear(batch)
            if len(batch) > 1 and self.service in ("product", "user"):
                steps.lock(self._sql.cursor, self.service, [body for *_, body in batch])
            said: list[Said] = []
            for letter, mode, handler, body in batch:
                if letter.queue == REPLIES:
                    self._sql.later(texts.ANSWERED, letter.properties.correlation_id, body["order_id"])
                answer = steps.STEPS[handler](self._sql, letter.properties.type, body)
                said += self.say(mode, answer, letter.properties) if answer else []
            self._write(said)
        return said

    def accept(self, mode: str, order: Body) -> list[Said]:
        """Accept an order from a client, in one transaction."""
        with self._database:
            said = self.say(mode, ("OrderPlaced", steps.place(self._sql, order, mode)))
            self._write(said)
        return said

    def say(self, mode: str, answer: tuple[str, Body], asked: Any = None) -> list[Said]:
        """Put an answer into its envelopes, one for each place where it is said."""
        type_, body = answer
        order_id, text = body["order_id"], json.dumps(body, separators=(",", ":"))
        headers = {"order_id": order_id, "schema_version": "1.0", "mode": mode, "deadline": 2_000_000_000}
        if asked is not None:
            headers["causation_id"] = asked.message_id
        said = [
            Said(_id(order_id, type_, to["address"]), type_, order_id, mode, to["address"], to["exchange"],
                 to["key"].replace("{order_id}", order_id), text, headers, order_id, to["awaits_answer"])
            for to in self.modes[mode]["says"].get(type_, ())
        ]
        if not said and asked is not None and asked.reply_to:
            said = [Said(_id(order_id, type_, "answer"), type_, order_id, mode, "answer", "", asked.reply_to, text,
                         headers, asked.message_id, False, True)]
        return said

    def sent(self, said: Sequence[Said]) -> None:
        """Note what the broker has confirmed: a single statement, without BEGIN and COMMIT."""
        ids = tuple(one.id for one in said if not one.awaits_answer and not one.is_reply)
        if ids:
            self._database.autocommit = True
            self._sql.cursor.execute(texts.SENT, (ids,))
            self._database.autocommit = False

    def _line(self, letter: Letter) -> tuple[str, str | None]:
        mode, handlers = self.heard[letter.queue]
        return mode, handlers.get(letter.properties.type)

    def _hear(self, batch: Sequence[tuple[Letter, str, str, Body]]) -> None:
        rows = [(self.service, letter.properties.message_id, body["order_id"], letter.properties.type, mode, letter.queue,
                 handler, letter.properties.app_id) for letter, mode, handler, body in batch]
        new = execute_values(self._sql.cursor, texts.INBOX, rows, texts.INBOX_ROW, page_size=len(rows), fetch=True)
        if len(new) != len(rows):
            raise Refused(f"{len(rows) - len(new)} messages were heard before")

    def _write(self, said: Sequence[Said]) -> None:
        """Write what is said into the outbox: what is to be sent, and answers, which count as sent."""
        self._sql.flush()
        for replies, at in ((False, "NULL)"), (True, f"{texts.NOW})")):
            rows = [(one.id, one.order_id, one.type, one.mode, one.address, one.exchange, one.key, one.body,
                     json.dumps(one.headers), one.correlation_id, one.awaits_answer)
                    for one in said if one.is_reply is replies]
            if rows:
                execute_values(self._sql.cursor, texts.OUTBOX, rows, texts.OUTBOX_ROW + at, page_size=len(rows), fetch=True)


def _id(order_id: str, type_: str, address: str) -> str:
    return str(uuid.uuid5(uuid.UUID(order_id), f"{type_}:{address}"))

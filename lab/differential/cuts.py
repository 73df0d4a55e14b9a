"""Connections to RabbitMQ, cut at chosen bytes while something is said or acknowledged; then what is there is counted.

::

    publisher ──proxy──> RabbitMQ        cut in the publish (toward the server) or in its confirm (toward the client)
      UNKNOWN is said again, as a relay does, with the same message id
    reader <──proxy── RabbitMQ           heard in a transaction with an inbox, then acknowledged, and cut there
      what is delivered again is heard again

What must be true: CONFIRMED is stored, exactly one copy; nothing but UNKNOWN is said of a message whose line was cut; and
whatever was stored twice or delivered again has its effect once.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import MetaData

from lab.faults.proxy import Proxy, Toward
from lab.servers import PrivateRabbitMQ
from patterns import inbox
from patterns.amqp import Channel, Delivery, Outgoing, Properties, Receipt
from patterns.connection import RabbitTransport
from patterns.database import Database, Session
from patterns.errors import BrokerUnavailable
from patterns.journal import keep_journal

QUEUE = "cuts"
MOST = 3
"""Messages published together, and so heard together."""
PATIENCE = 60.0
LEFT = """{length(rabbit_networking:local_connections()), length(rabbit_channel:list_local()),
    [proplists:get_value(messages_unacknowledged, rabbit_amqqueue:info(Queue, [messages_unacknowledged]))
        || Queue <- rabbit_amqqueue:list(<<"%s">>)]}."""
"""RabbitMQ takes a connection off its list before its channels have ended: what they hold is neither ready nor gone then."""
ONLY_OURS = "{1,1,[0]}"
ORDER = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


class Untrue(AssertionError):
    """Somebody was told what is not so."""


class Cuts:
    """One publisher and one reader, whose connections go through a proxy, and somebody whose do not."""

    def __init__(self, server: PrivateRabbitMQ, seed: int) -> None:
        self.random, self.seed, self.made = random.Random(seed), seed, 0  # noqa: S311 (to be repeated)
        self.server = server
        vhost = server.fresh_vhost()
        self.left, url = LEFT % vhost, server.url(vhost)
        self.proxy = Proxy(url)
        self.through = RabbitTransport(self.proxy.url)
        self.direct = RabbitTransport(url).connect("direct")
        self.channel = self.direct.channel()
        self.channel.declare_queue(QUEUE, arguments={"x-queue-type": "classic"})
        self.folder = tempfile.TemporaryDirectory(prefix="orderflow-cuts-")
        self.database = Database("cuts", f"sqlite:///{Path(self.folder.name) / 'inbox.db'}")
        metadata = MetaData()
        keep_journal(metadata)
        self.database.create_tables(metadata)
        self.effects: Counter[UUID] = Counter()
        self.happened: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.sizes: dict[tuple[str, Toward, int], int] = {}

    def close(self) -> None:
        """Hang up, and leave nothing."""
        self.direct.close()
        self.proxy.close()
        self.database.close()
        self.folder.cleanup()

    def episode(self) -> None:
        """Say some messages and hear them, with a cut in one of the two, or in both.  Raises Untrue."""
        ids = [uuid5(ORDER, f"{self.seed}/{self.made + number}") for number in range(self.random.randint(1, MOST))]
        self.made += len(ids)
        answers = self._cut_in("publish", len(ids), lambda channel: channel.publish(_messages(ids), PATIENCE))
        receipts = answers or [Receipt.UNKNOWN] * len(ids)
        self._judge(ids, receipts)
        again = [each for each, receipt in zip(ids, receipts, strict=True) if receipt is Receipt.UNKNOWN]
        if again and set(self.channel.publish(_messages(again))) != {Receipt.CONFIRMED}:
            raise Untrue("said again on a good connection, and not confirmed")
        self._cut_in("ack", len(ids), self._hear)
        self._hear(self.channel)
        if wrong := {each: self.effects[each] for each in ids if self.effects[each] != 1}:
            raise Untrue(f"effects that did not come once: {wrong}")

    # --- the cut ---

    def _cut_in(self, what: str, count: int, work: Callable[[Channel], Any]) -> Any:
        """Do the work on a new connection through the proxy; None if it raised because that ended."""
        toward: Toward = self.random.choice(("server", "client"))
        connection = self.through.connect(what)
        channel = connection.channel()
        if (size := self.sizes.get((what, toward, count))) is not None:
            at = self.random.randint(0, size)
            self.proxy.cut_after(at, toward, reset=self.random.random() < 0.5)
        before, cuts, done = self.proxy.passed, self.proxy.cuts, None
        try:
            done = work(channel)
            channel.declare_queue(QUEUE, passive=True)  # what was sent without waiting has arrived, or the line is cut
        except BrokerUnavailable:
            self.seen["calls that ended with their connection"] += 1
        if self.proxy.cuts > cuts:
            self.happened[f"cut in {what} @ toward the {toward}"] += 1
        elif size is None:
            self.sizes[what, toward, count] = (self.proxy.passed - before)[toward]
        self.proxy.heal()
        connection.close()
        self._until_it_noticed()
        return done

    def _until_it_noticed(self) -> None:
        """Wait until nothing is left of all connections but the direct one, and nothing they held is on its way back."""
        until = time.monotonic() + PATIENCE
        while self.server.eval(self.left) != ONLY_OURS:
            if time.monotonic() > until:
                raise BrokerUnavailable("RabbitMQ does not notice that a connection was cut")

    def _judge(self, ids: Sequence[UUID], receipts: Sequence[Receipt]) -> None:
        stored: Counter[str] = Counter()
        looking = self.direct.channel()
        while (found := looking.get(QUEUE)) is not None:
            stored[found.properties.message_id or ""] += 1
        looking.close()  # and all of it is back
        for each, receipt in zip(ids, receipts, strict=True):
            copies = stored[str(each)]
            if receipt is Receipt.CONFIRMED and copies == 1:
                self.seen["confirmed"] += 1
            elif receipt is Receipt.UNKNOWN and copies < 2:
                self.seen["unknown, stored" if copies else "unknown, not stored"] += 1
            else:
                raise Untrue(f"a message was {receipt.value}, and there are {copies} of it in the queue")

    # --- the reader ---

    def _hear(self, channel: Channel) -> int:
        """Hear all there is: the effect and the inbox row in one transaction, the ack after it."""
        waiting = channel.declare_queue(QUEUE, passive=True).messages
        heard: list[Delivery] = []
        consumer = channel.consume(QUEUE) if waiting else ""
        while len(heard) < waiting:
            heard += [item for item in channel.take(100, PATIENCE) if isinstance(item, Delivery)]
        if not heard:
            return 0
        ids = self.database.transact(_note, [UUID(each.properties.message_id or "") for each in heard])
        self.effects.update(ids)
        self.seen["duplicates the inbox took"] += len(heard) - len(ids)
        self.seen["redelivered"] += sum(each.redelivered for each in heard)
        channel.ack(heard[-1].tag or 0, multiple=True)
        channel.cancel(consumer)
        return len(heard)


def _note(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    return inbox.first_times(session, [
        {"service": "cuts", "message_id": each, "order_id": ORDER, "type": "Cut", "mode": "default", "queue": QUEUE,
         "handler": "note", "sender": "cuts"} for each in ids
    ])


def _messages(ids: Sequence[UUID]) -> list[Outgoing]:
    return [Outgoing("", QUEUE, b"x" * 40, Properties(str(each))) for each in ids]

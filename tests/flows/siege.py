"""A siege: strangers write to every queue of a running shop, and the shop must not notice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import select

from lab.audit import under_way
from lab.books import database_of
from lab.local import LocalShop
from lab.shop import wirings_of
from patterns import topology
from patterns.address import Answer
from patterns.amqp import Delivery
from patterns.message import TYPES, Message
from patterns.settings import settings
from patterns.shop import SERVICES, CancelOrder, OrderPlaced, Priced, Refusal, order_id_for
from patterns.transport import transport
from patterns.wiring import accepts
from tests.flows.words import until
from tests.strangers import Client, Letter, Visitor, plain

JOURNAL = ("inbox", "outbox")
"""A message that is handled again may leave a row there (an answer to it is noted); an unreadable one leaves none."""

CHEAP = ("OrderConfirmed", "StockReleased", "FundsReleased", "PaymentRefunded", "DeliveryCancelled", "FundsRejected",
         "PaymentFailed", "DeliveryFailed", "OrderPlaced", "StockReserved", "FundsHeld", "PaymentTaken", "PlaceOrder")

NOBODY = 2**40
"""A customer who does not exist, and goods that do not: whoever orders so gets a refusal."""


@dataclass(frozen=True)
class Target:
    """A queue that a service reads, and what it understands there."""

    service: str
    queue: str
    mode: str
    broadcast: bool
    types: dict[str, type[Message]]

    def __str__(self) -> str:
        return self.queue


def targets() -> list[Target]:
    """Every queue that feeds a handler."""
    found: dict[str, Target] = {}
    for service in SERVICES:
        for mode, wiring in wirings_of(service).items():
            for line in wiring.lines:
                if isinstance(line.address, Answer):
                    continue
                queue = line.address.queue_for(service)
                known = found.setdefault(queue, Target(service, queue, mode, line.address.broadcast, {}))
                known.types.update({kind.__name__: kind for kind in accepts(line.handler)})
    return list(found.values())


TARGETS = {target.queue: target for target in targets()}
ANOTHER_ORDER = uuid5(UUID(int=0), "the order that is cancelled")


def fields_of(kind: type[Message], order_id: UUID) -> dict[str, Any]:
    """The body of a message that can be read."""
    line = {"product_id": NOBODY, "quantity": 1}
    if kind.__name__ == "PlaceOrder":
        return {"user_id": NOBODY, "items": [line]}
    fields: dict[str, Any] = {"order_id": str(order_id)}
    if issubclass(kind, Priced):
        fields |= {"user_id": NOBODY, "lines": [{**line, "price_cents": 5}], "amount_cents": 5}
    if kind is OrderPlaced:
        fields |= {"user_id": NOBODY, "lines": [line]}
    if issubclass(kind, Refusal | CancelOrder):
        fields["reason"] = "no"
    if "user_id" in kind.model_fields:
        fields.setdefault("user_id", NOBODY)
    return fields


def letter(target: Target, kind: str, order_id: UUID, message_id: UUID | None = None) -> Letter:
    """A message that is in order in every way."""
    headers = {"mode": target.mode, "schema_version": "1.0"}
    if kind != "PlaceOrder":  # its order's id follows from its message id
        headers["order_id"] = str(order_id)
    return Letter(
        json.dumps(fields_of(TYPES[kind], order_id)).encode(), str(message_id or uuid4()).encode(), kind.encode(),
        headers=plain(headers), key=target.queue,
    )


class Siege:
    """A shop, the strangers before it, and what one can see of it from outside."""

    def __init__(self, shop: LocalShop, *, takes_what_is_parked: bool = True) -> None:
        self.shop, self.seed = shop, uuid4()
        self._connection = transport().connect("test.siege")
        self.channel = self._connection.channel()
        url = settings().rabbitmq_url
        self.stranger: Client | Visitor = Client(url) if url else Visitor(transport())
        for service in SERVICES if takes_what_is_parked else ():
            self.channel.consume(topology.parked_queue(service), auto_ack=True)

    def close(self) -> None:
        self.stranger.close()
        self._connection.close()

    def prime(self) -> None:
        """Let every queue hear one message that is in order; heard again it will change nothing."""
        self.stranger.send(self.good(TARGETS["order_create"]))
        until(lambda: not under_way(), "an order is placed, and refused")
        self.stranger.send(*(self.good(target) for target in TARGETS.values()))
        until(lambda: not under_way(), "all is heard")
        assert not self.parked_now()

    def good(self, target: Target) -> Letter:
        """The message this queue has heard already."""
        kind = next((name for name in CHEAP if name in target.types), next(iter(target.types)))
        order_id = uuid5(self.seed, target.queue)
        if kind == "CancelOrder":
            order_id = order_id_for(NOBODY, str(uuid5(self.seed, "order_create" + "id")))
        return letter(target, kind, order_id, uuid5(self.seed, target.queue + "id"))

    def parked(self) -> Delivery:
        """The next parked message."""
        found = next(iter(self.channel.take(1, 60)), None)
        assert isinstance(found, Delivery), "nothing is parked"
        return found

    def parked_now(self) -> list[Any]:
        """What is parked and was not taken."""
        return list(self.channel.take(10, 0))

    def waiting(self, service: str) -> int:
        """How many messages a service has parked."""
        return self.channel.declare_queue(topology.parked_queue(service), passive=True).messages

    def empty(self) -> None:
        """Throw away all that is parked."""
        for service in SERVICES:
            self.channel.purge(topology.parked_queue(service))

    def counts(self, target: Target) -> dict[str, int]:
        """What the service says it did with messages so far."""
        return dict(self.shop.service(target.service).listener.counts)

    def books(self) -> dict[str, list[Any]]:
        """Every row of every database, but for the journals."""
        return {f"{service}.{name}": rows for service in SERVICES for name, rows in _rows(service)}

    def ready(self) -> bool:
        """Whether every service says that all is well."""
        return all(self.shop.http(service).get("/readyz").status_code == 200 for service in SERVICES)


def _rows(service: str) -> Iterator[tuple[str, list[Any]]]:
    metadata = import_module(f"{service}.models").metadata
    wanted = [table for name, table in metadata.tables.items() if name not in JOURNAL]
    yield from database_of(service).read(lambda session: [
        (table.name, sorted((tuple(row) for row in session.execute(select(table))), key=repr)) for table in wanted])


def journals() -> int:
    """How many rows the journals of all services hold."""
    def count(service: str) -> int:
        tables = [import_module(f"{service}.models").metadata.tables[name] for name in JOURNAL]
        return database_of(service).read(lambda session: sum(len(session.execute(select(table)).all()) for table in tables))

    return sum(count(service) for service in SERVICES)


def again(known: Letter, **changes: Any) -> Letter:
    """A letter with something changed."""
    return replace(known, **changes)

"""The story of each order of a run, from the simulated databases: as a table, and as a sequence diagram for a file."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from lab.order_story.story import Story
from order.models import history, orders
from order.schemas import HistoryEntry, Order
from patterns.database import Session
from patterns.hops import CLIENT
from patterns.journal import messages
from patterns.shop import SERVICES
from patterns.web import JournalEntry

if TYPE_CHECKING:
    from lab.simulation.workload import Clients
    from lab.simulation.world import World

_KNOWN = {"order": "orders", "product": "reservations", "user": "holds", "payment": "payments", "delivery": "deliveries"}


def stories(world: World, clients: Clients, broken: list[str]) -> list[Story]:
    """Of the orders that the complaints name; of all, if they name none."""
    world.stop()
    known: dict[str, None] = {}
    for service, table in _KNOWN.items():
        key = "id" if service == "order" else "order_id"
        rows = world.stores[service].rows(f"SELECT {key} FROM {table} ORDER BY {key}")  # noqa: S608 (names are ours)
        known.update(dict.fromkeys(row[0] for row in rows))
    ids = [UUID(text) for text in known]
    complaint = " ".join(broken).replace("-", "")
    return [_story(world, clients, one) for one in [one for one in ids if one.hex in complaint] or ids]


def _story(world: World, clients: Clients, order_id: UUID) -> Story:
    """Everything the databases tell of an order, and what befell the shop meanwhile."""
    entries = [
        JournalEntry.model_validate(row)
        for service in SERVICES for row in clients._at(service).read(messages, order_id, service)
    ]
    entries.sort(key=lambda entry: entry.at)
    told = [(at, CLIENT, f"the client is told: {answer}") for at, whose, answer in clients.told.answers if whose == order_id]
    return Story(
        order_id, order=clients._at("order").read(_order, order_id), history=clients._at("order").read(_history, order_id),
        messages=entries, remarks=[*world.story, *told], over=True,
    )


def _order(session: Session, order_id: UUID) -> Order | None:
    """None for a ghost: goods or money moved for an order that is not there."""
    row = session.execute(select(orders).where(orders.c.id == order_id)).mappings().one_or_none()
    return None if row is None else Order.model_validate({**row, "lines": []})


def _history(session: Session, order_id: UUID) -> list[HistoryEntry]:
    rows = session.execute(select(history).where(history.c.order_id == order_id).order_by(history.c.id))
    return [HistoryEntry.model_validate(row) for row in rows]

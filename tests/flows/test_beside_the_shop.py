"""A service of one's own beside the shop, as docs/own-service.md says: it hears what the shop says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table, Uuid, select

from lab.local import LocalShop
from patterns import Database, Fanout, Service, Session, Topic, Wiring, insert_once, topology
from patterns.address import Direct, saga_command
from patterns.health import Checkup
from patterns.shop import OrderConfirmed
from tests.flows.words import Words, key_for, until

PAGE = (Path(__file__).parents[2] / "docs" / "own-service.md").read_text(encoding="utf-8").split("## Beside the shop")[1]
metadata = MetaData()
thanked = Table("thanked", metadata, Column("order_id", Uuid, primary_key=True))


def thank(session: Session, confirmed: OrderConfirmed) -> None:
    insert_once(session, thanked, order_id=confirmed.order_id)


WIRING = {
    "topic": Wiring(hears=((Topic("order.confirmed"), thank),)),
    "fanout": Wiring(hears=((Fanout("EX_ORDER"), thank),)),
    "direct": Wiring(hears=((Direct("order.confirmed"), thank),)),
    "saga": Wiring(hears=((saga_command("user", "spend_funds"), thank),)),
}


@pytest.fixture
def own(shop: LocalShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    assert shop is not None
    monkeypatch.setattr(topology, "_known", dict(topology._known))  # later shops in this process are without it
    service = Service("thanks", Database("thanks", f"sqlite:///{tmp_path}/thanks.db"), metadata, WIRING)
    service.start()
    until(lambda: not Checkup(service).look().troubles, "it listens")
    yield service
    service.stop()


def test_the_page_shows_such_a_service() -> None:
    [shown] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {"Session": Session, "Wiring": Wiring, "Topic": Topic}
    exec(shown, names)  # noqa: S102 (our own documentation)
    assert str(names["WIRING"]) == str({"topic": WIRING["topic"]}).replace(repr(thank), repr(names["thank"]))


@pytest.mark.parametrize("words", WIRING, indirect=True)
def test_it_hears_of_every_successful_order(words: Words, own: Service) -> None:
    user, chair = words.customer(10_000), words.goods(1_000, 5)
    order = words.order(user, {chair: 1}, key_for(user))
    refused = words.order(user, {chair: 9}, key_for(user))
    until(lambda: thanked_for(own, order), "it hears of the order")
    assert [words.settled(one)["status"] for one in (order, refused)] == ["SUCCESS", "FAILED"]
    assert not thanked_for(own, refused)


def thanked_for(own: Service, order: UUID) -> bool:
    found = select(thanked).where(thanked.c.order_id == order)
    return own.database.read(lambda session: session.execute(found).first()) is not None

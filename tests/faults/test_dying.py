"""A process that dies at an exact place leaves exactly what the place says; started again, it finishes, once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from lab import clients
from lab.books import database_of
from lab.faults.dying import PLACES, STATUS, tell_to_die, withdraw
from lab.queues import queue_depths
from lab.servers import Keeper, free_ports
from lab.torture.processes import ShopProcess
from patterns import outbox
from patterns.settings import configure
from patterns.shop import Line, OrderPlaced
from patterns.transport import use
from product.models import reservations
from product.rabbitmq import RESERVE, publish_default
from tests.faults.patient import wait_until

pytestmark = pytest.mark.real

Counts = tuple[int, int, int, int]

#: place: (reserved, said and not marked as sent, messages that wait for user, messages given back to product)
LEFT = {
    "before-commit": (0, 0, 0, 1), "after-commit": (1, 1, 0, 1), "after-publish": (1, 1, 1, 1), "before-ack": (1, 0, 1, 1),
}


@pytest.fixture
def product(rabbitmq_url: str, database_url: str, tmp_path: Path) -> Iterator[ShopProcess]:
    """The product service in a process of its own; nobody else is there."""
    configure(rabbitmq_url=rabbitmq_url, database_url=database_url)
    [port] = free_ports(1)
    environment = {"RABBITMQ_URL": rabbitmq_url, "DATABASE_URL": database_url, "PRODUCT_PORT": str(port)}
    keeper, where = Keeper("dying"), {"product": f"http://127.0.0.1:{port}"}
    process = ShopProcess(keeper, "product", ["serve", "product"], environment, where, tmp_path)
    process.be_mortal()
    yield process
    keeper.close()
    use(None)
    database_of("product").close()


def left() -> Counts:
    """What is there: see LEFT."""
    database = database_of("product")
    reserved = database.read(lambda session: session.execute(select(func.count()).select_from(reservations)).scalar_one())
    depths = queue_depths()
    return int(reserved), database.read(outbox.unsent), depths["user.hold"], depths["product.reserve"]


def since(before: Counts) -> Counts:
    """How much more is there than before."""
    return tuple(now - then for now, then in zip(left(), before, strict=True))  # type: ignore[return-value]


def test_it_dies_there_and_nowhere_else(product: ShopProcess) -> None:
    product.start()
    product.wait_until_ready()
    goods = {"name": "Chair", "price_cents": 4999, "quantity": 50}
    made = clients.request("POST", f"{product.services['product']}/products", json=goods, timeout=60)
    chair = made.raise_for_status().json()["id"]
    for place in PLACES:
        before = left()
        tell_to_die(product.death, place)
        publish_default(RESERVE, OrderPlaced(order_id=uuid4(), user_id=1, lines=(Line(product_id=chair, quantity=2),)))
        assert product.wait_until_ended() == STATUS, product.last_words()
        assert not withdraw(product.death), "who dies takes its order to die along"
        wait_until(partial(lambda place, before: since(before) == LEFT[place], place, before))

        product.start()
        product.wait_until_ready()
        said = 2 if place == "after-publish" else 1  # nobody can know then whether it was said
        wait_until(partial(lambda before, said: since(before) == (1, 0, said, 0), before, said))

"""The documentation's example of a service of one's own keeps the promises: the very file, run, broken and killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lab.servers import Keeper
from patterns.address import Topic
from patterns.amqp import Receipt
from patterns.envelope import Context, seal
from patterns.message import TYPES, Message
from patterns.topology import parked_queue
from tests.faults.own_service import SERVICE, OwnService

PURCHASES = 90
CUSTOMERS = 3
FAST = "0.05,0.05"
PATIENT = ",".join(["0.2"] * 200)


class Bought(Message):
    """What the example understands, as a client of it writes it down."""

    customer: int
    cents: int


del TYPES["Bought"]  # the example's own word, not the shop's


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., OwnService]]:
    servers = {}
    with ExitStack() as opened:
        if request.param == "real":
            databases = request.getfixturevalue("databases")
            url = databases.fresh((SERVICE,))
            opened.callback(databases.drop, url)
            servers = {"rabbitmq_url": request.getfixturevalue("rabbitmq_url"), "database_url": url}
        keeper = Keeper("own-service")
        opened.callback(keeper.close)

        def make(**settings: str) -> OwnService:
            service = OwnService(keeper, tmp_path, **servers, **settings)
            opened.callback(service.close)
            return service

        yield make


def purchases(count: int) -> list[Bought]:
    return [Bought(order_id=uuid4(), customer=1 + number % CUSTOMERS, cents=100 * number + 150) for number in range(count)]


def tell(service: OwnService, bought: Bought) -> None:
    """What a careful client does: it asks until it is answered, always with the same order id."""
    pause = Event()
    for _ in range(3000):
        try:
            answer = service.http.post("/purchases", json=bought.model_dump(mode="json"))
        except httpx.TransportError:
            pause.wait(0.05)
            continue
        if answer.status_code == 202:
            return
        assert answer.status_code == 503, answer.text
        pause.wait(0.05)
    raise AssertionError(f"nobody took {bought}\n{service.log}")


def expected(told: Sequence[Bought]) -> dict[int, int]:
    points: Counter[int] = Counter()
    for bought in told:
        points[bought.customer] += bought.cents // 100
    return dict(points)


def given(service: OwnService) -> dict[int, int]:
    return {number: service.http.get(f"/customers/{number}/points").json() for number in range(1, CUSTOMERS + 1)}


def say_again(service: OwnService, told: Sequence[Bought]) -> None:
    """What a broker or a relay does that cannot know whether it has said it before."""
    copies = [seal(bought, Topic("loyalty.bought"), Context("topic")).outgoing(SERVICE) for bought in told]
    with service.channel() as channel:
        assert set(channel.publish(copies)) == {Receipt.CONFIRMED}


def test_points_are_given_once_though_it_is_killed_in_the_middle_and_told_everything_twice(
    own: Callable[..., OwnService]
) -> None:
    service, told = own(), purchases(PURCHASES)
    service.start()
    with ThreadPoolExecutor(6) as clients:
        done: list[Future[None]] = [clients.submit(tell, service, bought) for bought in told]
        for enough in (PURCHASES // 4, PURCHASES // 2):
            service.until(lambda enough=enough: sum(map(Future.done, done)) >= enough, f"{enough} purchases are taken")
            service.kill()
            say_again(service, [bought for bought, future in zip(told, done, strict=True) if future.done()])
            service.start()
        for future in done:
            future.result()
    for bought in told:
        tell(service, bought)
    service.until(lambda: quiet(service), "everything said is sent, and everything heard is done")
    assert given(service) == expected(told)
    assert service.sql("SELECT count(*) FROM inbox")[0][0] == PURCHASES
    service.stop()


def quiet(service: OwnService) -> bool:
    """Whether nothing is left to send, and every purchase was heard."""
    [[unsent]] = service.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL")
    [[heard]] = service.sql("SELECT count(*) FROM inbox")
    return bool(unsent == 0 and heard == PURCHASES)


@pytest.mark.whole(own="real")
def test_what_fails_is_tried_again_until_it_works(own: Callable[..., OwnService]) -> None:
    service, [bought] = own(RETRY_DELAYS_SECONDS=PATIENT), purchases(1)
    service.start()
    service.sql("ALTER TABLE accounts RENAME TO mislaid")
    tell(service, bought)
    service.until(lambda: service.counts("retried") >= 2, "the handler fails, and is tried again")
    service.sql("ALTER TABLE mislaid RENAME TO accounts")
    service.until(lambda: given(service) == {1: 1, 2: 0, 3: 0}, "the points are given")
    service.stop()


@pytest.mark.whole(own="real")
def test_what_never_works_is_parked_with_its_reason_and_holds_up_nobody(own: Callable[..., OwnService]) -> None:
    service, [never, readable] = own(RETRY_DELAYS_SECONDS=FAST), purchases(2)
    service.start()
    service.sql("ALTER TABLE accounts RENAME TO mislaid")
    tell(service, never)
    service.until(lambda: service.counts("parked") == 1, "it is parked")
    service.sql("ALTER TABLE mislaid RENAME TO accounts")
    tell(service, readable)
    service.until(lambda: given(service) == {1: 0, 2: 2, 3: 0}, "the next one is handled")
    service.stop()
    assert parked(service) == [(never.order_id, True)]


def parked(service: OwnService) -> list[tuple[UUID, bool]]:
    """The orders of the parked messages, and whether the reason says what was missing."""
    found: list[tuple[UUID, bool]] = []
    with service.channel() as channel:
        while (delivery := channel.get(parked_queue(SERVICE), auto_ack=True)) is not None:
            headers: dict[str, Any] = delivery.properties.headers
            found.append((UUID(headers["order_id"]), "accounts" in headers["parked_because"]))
    return found

"""What operators do about parked messages: ``orderflow parked``, on an open shop, a closed one, and one half open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.local import LocalShop
from patterns.settings import settings
from product import crud
from tests.flows.siege import TARGETS, Siege, again, letter
from tests.flows.test_retries import Failing
from tests.flows.words import Words, until
from tests.strangers import Field, plain

RPC_WAIT_SECONDS = 0.5


def orderflow(*arguments: str, code: int = 0) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, ["parked", *arguments], catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output
    return str(result.stdout)


def told(*arguments: str, code: int = 0) -> Any:
    """The same as data."""
    return json.loads(orderflow(*arguments, "--json", code=code))


@pytest.fixture
def siege(shop: LocalShop) -> Iterator[Siege]:
    siege = Siege(shop, takes_what_is_parked=False)
    siege.empty()
    yield siege
    siege.close()


def parked_garbage(siege: Siege, queue: str = "product.reserve", **changes: Any) -> str:
    """A message nobody can read, parked; answers its own id."""
    target, message_id = TARGETS[queue], str(uuid4())
    known = letter(target, next(iter(target.types)), uuid4())
    siege.stranger.send(again(known, **{"message_id": message_id.encode(), "body": b"[gar\x1bbage]", "app_id": b"stranger",
                                       **changes}))
    until(lambda: siege.waiting(target.service), "it is parked")
    return message_id


class Broken:
    """A product service that fails each time, until it is mended."""

    def __init__(self, words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
        self.words = words
        self.ada, self.chair = words.customer(5_000), words.goods(1_000, 5)
        self._patching = monkeypatch.context()
        self._patching.__enter__().setattr(crud, "reserve", Failing(10_000, RuntimeError("no [red]idea[/]")))
        self.order_id = words.order(self.ada, {self.chair: 1})
        until(lambda: told("list", "--service", "product")["messages"], "its message is parked")

    def mend(self) -> None:
        self._patching.__exit__(None, None, None)

    def books(self) -> tuple[Any, Any]:
        return self.words.money(self.ada), self.words.stock(self.chair)


@pytest.mark.whole(shop="real", mode=("rpc", "default"))
@pytest.mark.parametrize("mode", ["topic", "rpc", "default"])
def test_what_failed_is_listed_explained_mended_and_replayed(
    shop: LocalShop, siege: Siege, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    broken = Broken(Words(shop, mode), monkeypatch)
    message = told("list")["messages"][0]
    assert (message["order_id"], message["type"], message["mode"]) == (str(broken.order_id), "OrderPlaced", mode)
    assert (message["attempts"], message["parked_as"], message["hopeless"]) == (4, "failed", "")
    table = orderflow("list")
    assert "failed 4 times, at last: RuntimeError: no [red]idea[/]" in table
    explained = orderflow("explain", message["id"])
    assert explained.count("RuntimeError: no [red]idea[/]") >= 4
    for words in ("OrderPlaced (application/json)", "PROCESSING", f"orderflow parked replay {message['id']}",
                  f'"order_id":"{broken.order_id}"'):
        assert words in explained
    assert f"orderflow parked replay {message['id']}" in orderflow("explain", message["message_id"])
    broken.mend()
    assert told("replay", message["id"], "--dry-run")["messages"][0]["verdict"] == "would be replayed"
    assert told("replay", message["id"])["messages"][0]["verdict"] == "replayed"
    assert broken.words.settled(broken.order_id)["status"] == "SUCCESS"
    orderflow("replay", "--all")  # in rpc it was asked again and again, and parked each time
    broken.words.quiet()
    assert broken.books() == ((4_000, 0, 1_000), (4, 0, 1))
    assert told("list")["messages"] == []


@pytest.mark.whole(shop="real")
def test_a_replay_after_the_order_has_ended_does_no_harm(
    shop: LocalShop, siege: Siege, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(Words(shop, "topic"), monkeypatch)
    assert broken.words.cancel(broken.order_id).json()["status"] == "FAILED"
    broken.mend()
    [message] = told("list")["messages"]
    assert "Its order has ended meanwhile (FAILED)" in orderflow("explain", message["id"])
    orderflow("replay", "--type", "OrderPlaced")
    broken.words.quiet()
    assert broken.books() == ((5_000, 0, 0), (5, 0, 0))
    assert told("list")["messages"] == []


@pytest.mark.whole(shop="real")
def test_what_can_never_work_is_refused_and_stays(siege: Siege) -> None:
    message_id = parked_garbage(siege)
    refused = told("replay", message_id, code=1)["messages"][0]
    assert refused["verdict"] == "refused"
    assert refused["why"].startswith("it is still unreadable: not a readable OrderPlaced")
    explained = orderflow("explain", message_id)
    assert "Tell 'stranger' what is wrong." in explained
    assert "[gar\N{REPLACEMENT CHARACTER}bage]" in explained
    assert "\x1b" not in explained
    assert told("replay", message_id, "--force")["messages"][0]["verdict"] == "replayed"
    until(lambda: [each for each in told("list")["messages"] if each["replayed"] == 1], "it is parked again")


@pytest.mark.whole(shop="real")
def test_what_is_hopeless_can_be_dropped(siege: Siege) -> None:
    first, second = parked_garbage(siege), parked_garbage(siege, "user.hold")
    assert told("drop", first, "--dry-run")["messages"][0]["verdict"] == "would be dropped"
    assert told("drop", first, "--yes")["messages"][0]["verdict"] == "dropped"
    assert [each["message_id"] for each in told("list")["messages"]] == [second]
    assert told("drop", first, "--yes", code=1)["missing"] == [first]


@pytest.mark.whole(shop="real")
def test_a_broadcast_is_parked_by_each_and_explained_for_each(siege: Siege) -> None:
    message_id, known = str(uuid4()), letter(TARGETS["product.fanout"], "OrderPlaced", uuid4())
    siege.stranger.send(again(known, message_id=message_id.encode(), exchange="EX_ORDER", key="", body=b""))
    until(lambda: len(told("list")["messages"]) == 2, "both have parked it")
    explained = told("explain", message_id)
    assert [each["message"]["service"] for each in explained] == ["product", "notification"]
    assert len(told("drop", message_id, "--yes")["messages"]) == 2


@pytest.mark.whole(shop="real")
def test_odd_headers_are_shown(siege: Siege) -> None:
    several = Field("A", (Field("T", 2**64 - 1), Field("D", (2, 151)), Field("V")))
    headers = (*plain({"mode": "default"}), (b"n\x1b", several), (b"x", Field("x", b"\xff\0")),
               (b"s", Field("S", b"\x1b[31mred")))
    message_id = parked_garbage(siege, headers=headers)
    [found] = told("explain", message_id)
    shown = found["message"]["headers"]
    assert shown["n?"] == ["base64://////////8=", "1.51", None]
    assert (shown["x"], shown["s"]) == ("base64:/wA=", "\N{REPLACEMENT CHARACTER}[31mred")
    orderflow("explain", message_id)


@pytest.mark.whole(shop="real")
def test_somebody_must_say_which(siege: Siege) -> None:
    message_id = parked_garbage(siege)
    result = CliRunner().invoke(app, ["parked", "replay"])
    assert "Which?" in str(result.exception)
    assert CliRunner().invoke(app, ["parked", "list", "--service", "kitchen"]).exception
    assert CliRunner().invoke(app, ["parked", "explain", "nothing"]).exception
    assert [each["message_id"] for each in told("list", "--type", "OrderPlaced")["messages"]] == [message_id]
    assert told("list", "--type", "FundsHeld")["messages"] == []
    assert told("replay", "--service", "user")["messages"] == []


def test_over_http(shop: LocalShop, siege: Siege) -> None:
    message_id = parked_garbage(siege)
    http = shop.http("product")
    [listed] = http.get("/parked").json()["messages"]
    assert (listed["message_id"], listed["headers"], listed["body"]) == (message_id, {}, "")
    assert http.get(f"/parked/messages/{listed['id']}").json()["body"] != ""
    assert http.get("/parked/messages/unheard-of").status_code == 404
    assert http.get("/parked?limit=0").status_code == 422
    assert http.post("/parked/replay", json={}).json() == []
    assert http.post("/parked/drop", json={"ids": [message_id]}).json()[0]["verdict"] == "dropped"
    assert http.get("/api/v1/parked").status_code == 404


def test_a_service_that_is_away(shop: LocalShop, siege: Siege) -> None:
    """Its messages are in the broker: RabbitMQ can be asked; an embedded one belongs to the process that runs it."""
    message_id = parked_garbage(siege)
    shop.stop("product")
    try:
        if settings().rabbitmq_url:
            assert [each["message_id"] for each in told("list")["messages"]] == [message_id]
            assert told("drop", message_id, "--yes")["messages"][0]["verdict"] == "dropped"
    finally:
        shop.start("product")

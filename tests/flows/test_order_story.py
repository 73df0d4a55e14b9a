"""``orderflow order``: the story it tells is the whole one, in every mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.order_story import NotPlaced, RunningShop, ShopAway, Story, Wish, as_mermaid, as_text, follow
from lab.servers.ports import free_ports
from tests.flows.words import PATIENCE_SECONDS, Words, key_for, until

pytestmark = pytest.mark.whole(shop="real")

HEARD_BY_ALL = {"reserve_stock", "hold_funds", "take_payment", "schedule_delivery", "confirm", "sell_stock", "spend_funds"}


def told(words: Words, wish: Wish) -> Story:
    with RunningShop() as shop:
        return follow(shop, wish, PATIENCE_SECONDS)


def wish_of(words: Words, cents: int, **fate: bool) -> Wish:
    user = words.customer(cents)
    return Wish(user, ((words.goods(price=1_000, quantity=5), 2),), words.mode, key_for(user, **fate))


def test_a_story_is_followed_until_everybody_has_heard_everything(words: Words) -> None:
    story = told(words, wish_of(words, 5_000))
    assert not story.to_come
    assert story.order is not None
    assert story.answer is not None
    assert (story.order.status, story.order.mode) == ("SUCCESS", words.mode)
    assert story.answer.code == (201 if words.mode == "rpc" else 202)
    heard = {entry.handler for entry in story.messages if entry.direction == "heard"}
    assert heard >= HEARD_BY_ALL | {"notify"}
    for handler in HEARD_BY_ALL:
        assert f"({handler})" in as_text(story)
        assert f"({handler})" in as_mermaid(story)


def test_a_story_of_failure_ends_when_all_is_undone(words: Words) -> None:
    story = told(words, wish_of(words, 5_000, delivered=False))
    assert not story.to_come
    assert story.order is not None
    assert story.order.undone_at is not None
    assert "FAILED: the carrier takes no parcel" in as_text(story)
    assert "release_stock" in as_text(story)
    assert "everything is undone" in as_mermaid(story)


def test_a_story_says_what_is_still_to_come(words: Words) -> None:
    wish = wish_of(words, 5_000)
    words.shop.stop("notification")
    try:
        with RunningShop() as shop:
            answer = shop.place(wish)
            story = until(lambda: (now := shop.read(wish.order_id, answer)).order.status == "SUCCESS" and now, "SUCCESS")
    finally:
        words.shop.start("notification")
    assert any("notification does not answer" in left for left in story.to_come)
    assert any("not heard by notification" in left for left in story.to_come)
    assert "not heard yet" in as_text(story)
    words.quiet()


def test_the_command_tells_all_in_json_and_draws_it(words: Words, tmp_path: Path) -> None:
    wish, drawing = wish_of(words, 5_000), tmp_path / "story.mmd"
    items = ",".join(f"{product}x{quantity}" for product, quantity in wish.items)
    command = ["order", "--user", str(wish.user_id), "--items", items, "--mode", words.mode, "--key", wish.key]
    result = CliRunner().invoke(app, [*command, "--json", "--mermaid", str(drawing)])
    assert result.exit_code == 0, result.output
    story = json.loads(result.stdout)
    assert (story["order"]["id"], story["order"]["status"]) == (str(wish.order_id), "SUCCESS")
    assert story["to_come"] == []
    assert {entry["service"] for entry in story["messages"]} >= {"order", "product", "user", "payment", "delivery"}
    assert drawing.read_text().startswith("sequenceDiagram\n    participant client")
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0
    assert f"Order {wish.order_id} in mode {words.mode}: SUCCESS" in again.stdout
    assert "POST /orders" in again.stdout


def test_an_order_refused_is_said_in_one_line(words: Words) -> None:
    wish = wish_of(words, 5_000)
    with RunningShop() as shop, pytest.raises(NotPlaced, match=r"422.*quantity"):
        shop.place(Wish(wish.user_id, ((1, 0),), words.mode, wish.key))


def test_a_shop_that_is_not_there_is_said_in_one_line() -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    with RunningShop(url) as shop, pytest.raises(ShopAway, match=r"No shop answers at .*`orderflow run`") as away:
        follow(shop, Wish(1, ((1, 1),), None, "a key"), 5)
    assert "\n" not in str(away.value)


@pytest.mark.parametrize("items", ["1", "1x", "x2", "1x2,", "1x2;3x4", "-1x2"])
def test_items_that_are_none_are_explained(items: str) -> None:
    result = CliRunner().invoke(app, ["order", "--items", items])
    assert "not like 1x2,3x1" in str(result.exception)

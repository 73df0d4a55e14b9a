"""The pages in docs/flows say what the wirings say."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lab.shop import wirings_in
from patterns import flow
from patterns.address import Topic
from patterns.errors import PageError
from patterns.hops import hops
from patterns.settings import MODES
from patterns.wiring import Wiring
from tests.house.sources import ROOT

FOLDER = ROOT / "docs" / "flows"
BY_MODE = {mode: wirings_in(mode) for mode in MODES}


def test_every_page_is_fresh() -> None:
    by_mode = {mode: wirings_in(mode) for mode in MODES}
    stale = [path.name for path in flow.stale(FOLDER, by_mode)]
    assert not stale, f"docs/flows: {', '.join(stale)} no longer say what the wirings say; refresh with: {flow.REFRESH}"


@pytest.mark.parametrize("mode", MODES)
def test_a_page_says_when_to_choose_it_what_it_promises_and_how_it_fails(mode: str) -> None:
    by_hand = (FOLDER / f"{mode}.md").read_text(encoding="utf-8").split("<!-- generated")[0]
    for question in ("**Choose it when**", "**It promises**", "**How it fails.**"):
        assert question in by_hand
    assert 8 <= len(by_hand.splitlines()) <= 30


@pytest.mark.parametrize("mode", MODES)
def test_a_table_shows_every_hop_once_and_the_success_path_first(mode: str) -> None:
    rows = flow.table(BY_MODE[mode])
    shown = [(row.speaker, row.message, row.listener, row.handler) for row in rows]
    assert sorted(shown) == sorted(hop.what for hop in hops(BY_MODE[mode]))
    assert "Elsewhere" not in {row.part for row in rows}
    happening = [row for row in rows if row.part == "The way forward"]
    assert [row.handler for row in happening if row.listener not in ("order", "notification")] in (
        ["reserve_stock", "hold_funds", "take_payment", "schedule_delivery", "sell_stock", "spend_funds"],
        ["reserve_stock", "hold_funds", "take_payment", "schedule_delivery", "spend_funds", "sell_stock"],
    )


@pytest.mark.parametrize("mode", MODES)
def test_the_diagrams_show_success_and_undo(mode: str) -> None:
    success, undo = flow.mermaid(BY_MODE[mode]), flow.mermaid(BY_MODE[mode], undo=True)
    assert "the order is a SUCCESS" in success and "Failed" not in success
    assert "the order has FAILED" in undo and "OrderConfirmed" not in undo
    for handler in ("refund_payment", "release_funds", "release_stock", "close"):
        assert f"({handler})" in undo


def rewired() -> dict[str, dict[str, Wiring]]:
    """The shop, but for one routing key."""
    topic = BY_MODE["topic"]
    first, *others = topic["product"].hears
    product = replace(topic["product"], hears=((Topic("order.#"), first[1]), *others))
    order = replace(topic["order"], says=tuple(
        (message, Topic("order.placed.now") if message.__name__ == "OrderPlaced" else address)
        for message, address in topic["order"].says
    ))
    return {**BY_MODE, "topic": {**topic, "product": product, "order": order}}


def test_a_changed_wiring_makes_its_page_stale_and_refreshing_mends_it(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "flows"))
    assert {path.name for path in flow.stale(folder, rewired())} == {"topic.md", "README.md"}
    by_hand = (folder / "topic.md").read_text(encoding="utf-8").split("<!-- generated")[0]
    assert {path.name for path in flow.refresh(folder, rewired())} == {"topic.md", "README.md"}
    assert flow.stale(folder, rewired()) == []
    assert (folder / "topic.md").read_text(encoding="utf-8").startswith(by_hand)
    assert "topic order.placed.now" in (folder / "topic.md").read_text(encoding="utf-8")


def test_a_page_without_markers_says_what_it_needs() -> None:
    with pytest.raises(PageError, match=r"topic\.md needs <!-- generated: flow -->"):
        flow.page("topic", BY_MODE["topic"], "# Mode topic\n")

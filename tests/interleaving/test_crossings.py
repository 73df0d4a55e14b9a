"""Transactions of real handlers cross on PostgreSQL, and every promise is kept.

Here a few orders of each scenario; ``orderflow verify --tier database`` tries all that matter.
"""

from __future__ import annotations

import pytest

from lab.interleaving.episode import SCENARIOS, Play
from lab.interleaving.stage import Stage
from lab.interleaving.tier import TIER
from lab.verify.tier import Asked, Tally
from patterns.shop import SERVICES
from tests.interleaving.plays import Plays, broken, some, until_a_deadlock

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_crosses_every_promise_is_kept(service: str, built: dict[str, Stage]) -> None:
    pairs = [scenario for scenario in SCENARIOS if scenario.service == service and len(scenario.acts) == 2]
    for number, scenario in enumerate(pairs):
        play = Play(scenario, scenario.modes[number % len(scenario.modes)], built[service])
        assert not (found := broken([*play.one_after_another(), play.by_chance(number)])), "\n".join(found)


def test_all_orders_that_matter_are_tried(play: Plays) -> None:
    """Two orders and money for one: whoever is first gets it; or the second waits, and then finds it gone."""
    money = play("user", "two orders, money for one")
    episodes = some(money)
    assert money.all_orders.done and not broken(episodes)
    assert len({episode.left for episode in episodes}) == 2
    assert {episode.crossing.waits > 0 for episode in episodes} == {True, False}


def test_an_order_of_steps_can_be_played_again(play: Plays) -> None:
    first = play("product", "a reservation and its release").by_chance(3)
    *_, order = first.again.split()
    again = play("product", "a reservation and its release").as_written(order)
    assert (again.crossing.order, again.left) == (first.crossing.order, first.left)


def test_deadlocks_come_to_an_end_and_nobody_notices(play: Plays) -> None:
    """Somebody at a terminal locks rows the other way round; the handler's transaction is repeated, not its message."""
    for service, name in (("user", "a batch and somebody who locks backwards"),
                          ("product", "an order for two products and somebody who locks backwards")):
        assert not (found := broken(until_a_deadlock(play(service, name)))), "\n".join(found)


def test_a_run_that_met_nothing_says_so() -> None:
    asked = Asked(seed=7)
    parts = list(TIER.slices(asked))
    assert sum(part.faults or 0 for part in parts) == 2_000 and len({part.seed for part in parts}) == len(parts)
    assert TIER.judge(asked, Tally(runs=2_000))

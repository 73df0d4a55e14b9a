"""Two orders for the last piece, a reservation against a release: every order of their statements with few preemptions.

On the simulated database; ``orderflow verify --tier preemptions`` allows two preemptions and does it in every mode.
"""

from __future__ import annotations

import pytest

from lab.interleaving import preemptions
from lab.interleaving.few import FewPreemptions
from lab.interleaving.steps import Step
from lab.verify.tier import Asked, Tally
from tests.mutants import patches_crossing as crossing

QUICK = Asked("quick", modes=("topic", "rpc"))


def tried() -> Tally:
    return preemptions.run(QUICK, lambda _: None)


def test_one_gets_the_last_piece_and_it_is_given_back_once() -> None:
    tally = tried()
    assert not tally.violations
    assert tally.runs > 60
    assert not preemptions.judge(QUICK, tally)


def test_a_shelf_that_is_looked_up_is_sold_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    crossing.shelf_looked_up(monkeypatch)
    assert any(violation.what.startswith("two orders, one last piece") for violation in tried().violations)


def test_a_step_that_is_looked_up_is_undone_and_done(monkeypatch: pytest.MonkeyPatch) -> None:
    crossing.step_looked_up(monkeypatch)
    assert any(violation.what.startswith("a reservation and its release") for violation in tried().violations)


def test_every_order_with_so_many_preemptions_comes_once() -> None:
    """Two that take three steps each: 2 orders without a preemption, 4 with one, and so on to all 20."""
    for most, orders in ((0, 2), (1, 6), (2, 14), (5, 20)):
        few, found = FewPreemptions(most), list[str]()
        while not few.done:
            left, order = [3, 3], ""
            while able := {number: Step("") for number, steps in enumerate(left) if steps}:
                number = few.choose(able)
                left[number] -= 1
                order += str(number)
            found.append(order)
            few.next()
        assert len(found) == len(set(found)) == orders

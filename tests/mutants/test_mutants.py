"""Every mutant is caught: in the case that is known for it, or else by a hunt.  And the catching itself can fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.mutants.checks import CHECKS, blind
from tests.mutants.hunt import Catch, control
from tests.mutants.memory import caught, known_catch
from tests.mutants.mutant import Mutant
from tests.mutants.registry import MUTANTS

SEEDS = 40

DEADLY = [mutant for mutant in MUTANTS.values() if not mutant.harmless]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What breaks on purpose is not worth a line each."""
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


def known(name: str) -> Catch:
    found = known_catch(MUTANTS[name])
    assert found is not None, f"{name} was never hunted: python -m tests.mutants --write {name}"
    return found


@pytest.mark.parametrize("mutant", DEADLY, ids=lambda mutant: mutant.name)
def test_a_removed_defence_is_noticed(mutant: Mutant) -> None:
    assert caught(mutant, SEEDS) is not None, f"{mutant.name} survived {SEEDS} seeds"


@pytest.mark.whole
@pytest.mark.parametrize("mutant", DEADLY, ids=lambda mutant: mutant.name)
def test_with_its_defence_the_same_case_breaks_nothing(mutant: Mutant) -> None:
    assert not control(known(mutant.name))


def test_a_blind_check_lets_a_mutant_live() -> None:
    catch = known("no-tombstone")
    with catch.mutant.applied():
        assert catch.case.run().broken
        with blind(*CHECKS):
            assert catch.case.run().broken == []


def test_a_mutants_patch_is_taken_back() -> None:
    mutant = MUTANTS["ack-before-commit"]
    with mutant.applied():
        pass
    assert known(mutant.name).case.run().broken == []

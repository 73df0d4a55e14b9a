"""How many programs find each mutant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab.differential.real import RealSide
from lab.differential.search import Search, search
from tests.differential.mutants import MUTANTS

ENOUGH = 250
"""Programs in which every mutant must be found; most are in the first ten."""
PATIENCE = 0.5
"""Seconds until RabbitMQ is taken at its word: that a model is wrong is found without haste only once."""


def found_after(real: RealSide, mutant: Callable[[pytest.MonkeyPatch], None], seed: int = 1) -> int | None:
    """How many programs it took until RabbitMQ and this mutant differed; None if that was more than enough."""
    done = Search()
    with pytest.MonkeyPatch.context() as broken:
        mutant(broken)
        for found in search(real, seed, shrink=False, patience=PATIENCE, done=done):
            if found is not None:
                return done.programs
            if done.programs >= ENOUGH:
                return None
    raise AssertionError("unreachable")


def needed(real: RealSide) -> dict[str, int | None]:
    """The same for all mutants, by name."""
    return {mutant.__name__: found_after(real, mutant) for mutant in MUTANTS}

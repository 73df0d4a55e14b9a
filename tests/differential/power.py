"""How many programs find each mutant."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lab.differential.following import Following, Step
from lab.differential.real import RealSide
from lab.differential.search import Search
from tests.differential.mutants import MUTANTS

ENOUGH = 500
"""Programs in which every mutant must be found; most are in the first ten."""

Mutant = Callable[[pytest.MonkeyPatch], None]


def found_after(real: RealSide, mutant: Mutant, kept: Sequence[list[Step]]) -> int | None:
    """Which program, of those RabbitMQ has run, does what this mutant does not allow; None if there is none.

    RabbitMQ need not run them again: until they differ, a mutant and the model see the same.
    """
    with pytest.MonkeyPatch.context() as broken:
        mutant(broken)
        return next((number for number, steps in enumerate(kept, 1) if not Following(real).allows(steps)), None)


def needed(real: RealSide, done: Search, more: Callable[[], None]) -> dict[str, int | None]:
    """The same for all mutants, by name; ``more`` has RabbitMQ run more programs, as long as a mutant is not found."""
    assert done.kept is not None
    found: dict[str, int | None] = dict.fromkeys((mutant.__name__ for mutant in MUTANTS), None)
    judged = 0
    while True:
        for mutant in MUTANTS:
            if found[mutant.__name__] is None and (number := found_after(real, mutant, done.kept[judged:])):
                found[mutant.__name__] = judged + number
        if None not in found.values() or done.programs >= ENOUGH:
            return found
        judged = len(done.kept)
        more()

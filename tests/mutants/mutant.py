"""A mutant: the shop with one defence taken away, and what must notice.

Patches live here only; nothing in the product knows that it can be mutated.  Each is applied with a MonkeyPatch and
taken back with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import pytest

from lab.simulation import run
from lab.simulation.workload import Workload
from patterns.settings import MODES
from tests.mutants.days import a_busy_day

PATIENCE_SECONDS = 130.0
"""Enough for a shop with all its defences, whatever befell it, as the control of the tier shows."""

Patch = Callable[[pytest.MonkeyPatch], None]

Means = Literal["simulation", "postgresql"]


@dataclass(frozen=True)
class Layer:
    """One of two defences that notice the same duplicate, each by itself; each is also tried where the other is off."""

    name: str
    off: Patch


@dataclass(frozen=True)
class Mutant:
    """One defence taken away."""

    name: str
    number: str
    """Its row in the list of mutants that this suite was begun with (docs/mutants.md); a letter for its variants."""
    removed: str
    """What is taken away, in a sentence."""
    patch: Patch
    fires: tuple[str, ...]
    """The checks (:mod:`tests.mutants.checks`) that are expected to notice; any other that does is as good."""
    modes: tuple[str, ...] = MODES
    by: Means = "simulation"
    day: Callable[[str], Workload] = a_busy_day
    faults: tuple[str, ...] = ()
    """The kinds of fault it is hunted with; all, if none are named."""
    leave_out: tuple[str, ...] = ()
    """Kinds of fault that would hide it, or blur what the check says."""
    rate: float = 15
    """How many places in a thousand break."""
    harmless: str = ""
    """Why it breaks nothing as long as the other defences stand; then no check may fire."""
    without: Layer | None = None
    """The other layer, which would notice as well: it is off too, and stays off in the control."""
    also: str = field(default="", compare=False)
    """What a reader should know besides."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The shop without this defence."""
        with self.alone(), pytest.MonkeyPatch.context() as patches:
            self.patch(patches)
            with impatient():
                yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The shop with this defence, and without the other layer where that is off."""
        with pytest.MonkeyPatch.context() as patches:
            if self.without is not None:
                self.without.off(patches)
            yield


@contextmanager
def impatient() -> Iterator[None]:
    """What does not come to rest is not waited for as long as elsewhere."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(run, "QUIET_SECONDS", PATIENCE_SECONDS)
        yield


def together(*patches: Patch) -> Patch:
    """Several defences taken away at once."""

    def all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
        for patch in patches:
            patch(monkeypatch)

    return all_of_them

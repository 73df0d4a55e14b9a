"""What a tier is asked, and what it tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from patterns.settings import MODES

Size = Literal["quick", "commit", "nightly"]
"""``quick`` is part of ``make test`` (seconds), ``commit`` is ``make verify`` (15 minutes), ``nightly`` takes hours."""


@dataclass(frozen=True)
class Asked:
    """What is wanted of a tier."""

    size: Size = "commit"
    modes: tuple[str, ...] = MODES
    seed: int = 0
    faults: int | None = None
    """So many faults (operations, episodes …) in all, instead of what the size says."""


@dataclass(frozen=True)
class Violation:
    """A promise that was broken, and the way back to it."""

    what: str
    again: str
    """The command that does it once more."""


@dataclass
class Tally:
    """What a tier did and saw."""

    runs: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    """How often each kind of fault came, as ``kind`` or ``kind @ place``."""
    seen: Counter[str] = field(default_factory=Counter)
    """What else is counted: outcomes, duplicates suppressed, tombstones met, retries, dead letters …"""
    violations: list[Violation] = field(default_factory=list)
    hardly: list[str] = field(default_factory=list)
    """What should have been seen and hardly was: a run that saw it too seldom shows nothing, and fails."""

    @property
    def faults(self) -> int:
        """How many faults there were."""
        return self.happened.total()

    @property
    def clean(self) -> bool:
        """Whether nothing was broken, and enough was seen to say so."""
        return not self.violations and not self.hardly

    def add(self, other: Tally) -> None:
        """Count what another slice did as well."""
        self.runs += other.runs
        self.happened += other.happened
        self.seen += other.seen
        self.violations += other.violations


Tell = Callable[[float], None]
"""Called now and then with how much is done, 0 to 1."""


@dataclass(frozen=True)
class Tier:
    """One tier: its name, what it breaks, what one run is, and how to run a slice of it.

    ``slices`` divides what is asked into parts that take a minute or so each and can be done one after another in any
    process; ``run`` does one; ``judge`` says of the sum what was hardly seen.  A slice's Asked has its own seed, so that
    a run that was interrupted goes on with the slices it had not done.
    """

    name: str
    breaks: str
    unit: str
    slices: Callable[[Asked], Iterable[Asked]]
    run: Callable[[Asked, Tell], Tally]
    judge: Callable[[Asked, Tally], list[str]]
    parallel: int = 1
    """How many slices may be done side by side."""
    waits: bool = False
    """Whether it waits for servers much of its time: it then runs beside a tier that computes."""

"""Mutants that no simulation hunts, and where they are hunted instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Elsewhere:
    """A defence whose loss another kind of test notices."""

    number: str
    removed: str
    noticed_by: str


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere("31", "A message that can never be handled goes back to its queue for ever.",
              "`tests/mutants/test_poison.py`: it must be parked, and its queue empty"),
)

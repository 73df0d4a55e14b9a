"""Mutants that no simulation hunts, and where they are hunted instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Elsewhere:
    """A defence whose loss another kind of test notices, or nothing can notice."""

    number: str
    removed: str
    noticed_by: str


ELSEWHERE: tuple[Elsewhere, ...] = ()

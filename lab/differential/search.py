"""Many programs on both brokers; one that finds a difference is made small before it is told."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from lab.differential.following import Step
from lab.differential.operations import Program
from lab.differential.programs import programs
from lab.differential.real import RealSide
from lab.differential.run import PATIENCE, Different, Run
from lab.differential.text import as_text
from lab.verify.tier import Violation

TOGETHER = 25
"""Programs made from one seed."""
HURRY = 0.5
"""Seconds of patience while a program that failed is made smaller."""


@dataclass
class Search:
    """What was done, and what was found."""

    operations: int = 0
    programs: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    kept: list[list[Step]] | None = None
    """What RabbitMQ did in programs in which the model agreed, if it is to be kept."""


def search(
    real: RealSide, first_seed: int, *, shrink: bool = True, patience: float = PATIENCE, done: Search | None = None,
    sorts: SearchStrategy[Program] = programs,
) -> Iterator[Violation | None]:
    """Run one set of programs after another, for as long as is asked; for each, what it found."""
    done = done or Search()
    for number in range(10**9):
        yield _one_set(real, sorts, first_seed * 100_003 + number, done, shrink=shrink, patience=patience)


def _one_set(
    real: RealSide, sorts: SearchStrategy[Program], number: int, done: Search, *, shrink: bool, patience: float
) -> Violation | None:
    failed: list[tuple[Program, Different]] = []

    @seed(number)
    @settings(
        max_examples=TOGETHER, database=None, deadline=None, print_blob=False, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,), report_multiple_bugs=False,
    )
    @given(sorts)
    def check(program: Program) -> None:
        try:
            compare(real, program, done, min(patience, HURRY) if failed else patience)
        except Different as difference:
            failed.append((program, difference))
            raise

    try:
        check()
    except (Different, Flaky):
        return _told(real, failed, patience)
    return None


def _told(real: RealSide, failed: list[tuple[Program, Different]], patience: float) -> Violation:
    """The smallest, which was tried last; or if that was only late when hurried, the first, as it was seen."""
    program, difference = failed[-1]
    try:
        compare(real, program, Search(), patience)
        program, difference = failed[0]
    except Different as again:
        difference = again
    return Violation(str(difference), f"python -m lab.differential {shlex.quote(as_text(program))}")


def compare(real: RealSide, program: Program, done: Search, patience: float = PATIENCE) -> None:
    """Run one program on both brokers.  Raises Different."""
    run = Run(real, patience)
    try:
        run.program(program)
        if done.kept is not None:
            done.kept.append(run.steps)
    finally:
        done.seen.update(run.seen + run.counted)
        done.operations += run.seen.total()
        done.programs += 1

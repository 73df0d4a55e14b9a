"""The checks by name: which one it was that noticed, from what it said; and each of them made blind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.simulation import run
from lab.simulation.invariants import Broken
from lab.simulation.world import World

CHECKS: dict[str, str] = {
    "money is conserved (after each commit)": r"the money of customer \d+ does not add up",
    "goods are conserved (after each commit)": r"the goods of product \d+ do not add up",
    "a settled order never changes": r"order \S+ was \w+ and is",
    "steps stand on each other (after each commit)": r"order \S+ is \w+ with \{",
    "money is conserved (at the end)": r"^Free \+ held",
    "goods are conserved (at the end)": r"^Shelf \+ reserved",
    "nothing belongs to nobody": r"^Money is a customer's",
    "steps stand on each other (at the end)": r"^TAKEN ⇒",
    "every effect has an order": r"^No reservation, hold",
    "every order is settled": r"^Every accepted order is",
    "success means all four": r"^SUCCESS ⇔",
    "money adds up": r"^Σ taken",
    "every ending is told": r"^At least one notification",
    "everything comes to rest": r"^not at rest|^nobody can go on|Stalled",
    "no thread dies": r"^a thread died",
    "nothing is parked": r"^parked without reason",
    "answers are true": r"a client was told",
    "one order for each key": r"for one wish",
    "what was done is said": r"has said nothing of it",
    "each thing is said once": r"was said \d+ times",
    "history tells each thing once": r"the history tells",
    "deadlines are kept": r"is not settled \d+ s after",
}


def which(said: str) -> str:
    """The check that said this."""
    return next((name for name, words in CHECKS.items() if re.search(words, said)), f"another: {said[:80]}")


@contextmanager
def blind(*checks: str) -> Iterator[None]:
    """A simulation in which these checks see nothing."""
    unseen = [re.compile(CHECKS[name]) for name in checks]

    def seen(said: list[str]) -> list[str]:
        return [one for one in said if not any(words.search(one) for words in unseen)]

    real = run.when_quiet

    def committed(self: World, service: str) -> None:
        try:
            self.watch.look(service)
        except Broken as error:
            if left := seen(str(error).split("; ")):
                self.scheduler.failures.append(Broken("; ".join(left)))

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(World, "committed", committed)
        patches.setattr(run, "when_quiet", lambda *things: seen(real(*things)))
        yield

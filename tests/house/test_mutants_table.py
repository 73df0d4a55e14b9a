"""docs/mutants.md lists every mutant, with what caught it, as it is written down."""

from __future__ import annotations

import re

from tests.mutants.checks import CHECKS, which
from tests.mutants.crossing import CROSSINGS
from tests.mutants.elsewhere import ELSEWHERE
from tests.mutants.memory import remembered
from tests.mutants.registry import MUTANTS
from tests.mutants.table import DOCUMENT, written

ROWS = 36
"""The list that the suite was begun with has so many rows; none is left without a mutant."""


def test_the_table_is_what_was_caught() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert written(document) == document, "python -m tests.mutants.table"


def test_every_mutant_was_caught_or_is_harmless_for_a_reason() -> None:
    never = [name for name, mutant in MUTANTS.items() if name not in remembered() and not mutant.harmless]
    assert not never, f"python -m tests.mutants --write {' '.join(never)}"


def test_no_row_of_the_list_is_left_out() -> None:
    numbers = {int(re.sub(r"\D", "", one.number)) for one in (*MUTANTS.values(), *CROSSINGS.values(), *ELSEWHERE)}
    assert numbers >= set(range(1, ROWS + 1)), sorted(set(range(1, ROWS + 1)) - numbers)


def test_every_catch_is_by_a_check_that_has_a_name() -> None:
    assert {which(catch["said"]) for catch in remembered().values()} <= CHECKS.keys()


def test_every_expected_check_exists() -> None:
    assert {name for mutant in MUTANTS.values() for name in mutant.fires} <= CHECKS.keys()

"""Is each check needed?  ``python -m tests.mutants.blind`` makes one after the other blind, and sees who lives then.

A check is *needed* when some mutant, in the smallest case that is known for it, is noticed by nothing else.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from tests.mutants.checks import CHECKS, blind, which
from tests.mutants.memory import known_catch, remembered
from tests.mutants.registry import MUTANTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "mutants.md"
BEGIN, END = "<!-- generated: checks -->", "<!-- end of generated: checks -->"


def alone() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """For each check the mutants it notices first, and those of them that nothing else notices."""
    first: dict[str, list[str]] = defaultdict(list)
    only: dict[str, list[str]] = defaultdict(list)
    for name in remembered():
        catch = known_catch(MUTANTS[name])
        assert catch is not None
        with catch.mutant.applied():
            broken = catch.case.run().broken
            if not broken:
                continue  # the case has aged; the hunt makes a new one
            check = which(broken[0])
            first[check].append(name)
            with blind(check):
                if not catch.case.run().broken:
                    only[check].append(name)
    return first, only


def table() -> str:
    """Each check, what it notices, and what would live without it."""
    first, only = alone()
    lines = ["| check | notices first | without it would live |", "|---|---|---|"]
    lines += [f"| {check} | {', '.join(first[check]) or '–'} | {', '.join(only[check]) or '–'} |" for check in CHECKS]
    return "\n".join(lines)


def main() -> int:
    """Write the table."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

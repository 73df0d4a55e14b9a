"""What was caught before: ``catches.json``, one counterexample for each mutant, as small as it was made.

The table of docs/mutants.md is made from it, and tests try these cases first.  A change of the shop or of the simulation
moves the places of a run, so that a case may show nothing any more: then the hunt begins anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.simulation.case import Case
from tests.mutants.hunt import Catch, hunt, noticed
from tests.mutants.mutant import Mutant
from tests.mutants.registry import MUTANTS

FILE = Path(__file__).with_name("catches.json")


def remembered() -> dict[str, dict[str, Any]]:
    """All that is written down, by the mutant's name."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return found


def remember(catch: Catch) -> None:
    """Write a catch down."""
    known = remembered() | {catch.mutant.name: {
        "seeds": catch.seeds, "mode": catch.mode, "said": catch.said, "case": catch.case.as_dict(),
    }}
    in_order = {name: known[name] for name in MUTANTS if name in known}
    FILE.write_text(json.dumps(in_order, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def known_catch(mutant: Mutant) -> Catch | None:
    """The catch that is written down; None if there is none."""
    known = remembered().get(mutant.name)
    if known is None:
        return None
    return Catch(mutant, known["seeds"], known["mode"], Case.of(known["case"]), known["said"])


def caught(mutant: Mutant, seeds: int) -> Catch | None:
    """Catch it again in the case that is known, else hunt it with so many seeds; None if it survives."""
    known = known_catch(mutant)
    if known is not None:
        with mutant.applied():
            said = noticed(mutant, known.case.run().broken)
        if said:
            return Catch(mutant, 1, known.mode, known.case, said)
    return hunt(mutant, seeds)

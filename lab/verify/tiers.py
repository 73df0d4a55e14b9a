"""Which tiers there are, in the order in which they are run."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.verify.slice import tier_at
from lab.verify.tier import Tier
from patterns.errors import SettingsError

ROOT = Path(__file__).parents[2]

WHERE = {
    "simulation": "lab.simulation.tier:TIER",
    "placements": "lab.simulation.placements:TIER",
    "preemptions": "lab.interleaving.preemptions:TIER",
    "broker": "lab.differential.tier:TIER",
    "database": "lab.interleaving.tier:TIER",
    "processes": "lab.torture.tier:TIER",
    "mutants": "tests.mutants.tier:TIER",
}


def known(names: tuple[str, ...] = ()) -> dict[str, Tier]:
    """These tiers, or all, by name.  Raises SettingsError for one that is not there."""
    for name in names:
        if name not in WHERE:
            raise SettingsError(f"{name} is no tier; there are {', '.join(WHERE)}")
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))  # the mutants live with the tests, which are not installed
    chosen = [name for name in WHERE if not names or name in names]
    if "mutants" in chosen and not (ROOT / "tests" / "mutants").is_dir():
        if "mutants" in names:
            raise SettingsError("The mutants are in the repository's tests/, which an installed wheel has not: clone it.")
        chosen.remove("mutants")
    return {name: tier_at(WHERE[name]) for name in chosen}

"""A quick look whether a copy of the tree keeps its promises: some simulated runs; exit status 1 when one is broken."""

from __future__ import annotations

import sys

from lab.simulation.run import simulate
from patterns.settings import MODES
from tests.mutants.days import a_busy_day
from tests.mutants.hunt import weights_of
from tests.mutants.mutant import Mutant

NOTHING = Mutant("nothing", "0", "Nothing.", lambda _: None, ())


def main(seeds: int) -> int:
    """Run each mode about ``seeds`` times."""
    for seed in range(seeds * len(MODES)):
        mode = MODES[seed % len(MODES)]
        with NOTHING.applied():
            broken = simulate(a_busy_day(mode), seed, rate=15, weights=weights_of(NOTHING), instances=1 + seed % 2).broken
        if broken:
            print(f"{mode}, seed {seed}: {broken[0]}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2))

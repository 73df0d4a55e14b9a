"""One slice of a tier in a process of its own: ``python -m lab.verify.slice MODULE:ATTRIBUTE ASKED``.

It prints a line of JSON for each bit of progress and one with the tally at the end.  A process of its own, because a slice
leaves nothing behind then, neither memory nor threads, and one that dies takes nobody with it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys

from lab.verify.tier import Tier
from lab.verify.wire import asked_of_json, tally_as_dict

STEP = 0.005
"""Progress smaller than this is not worth a line."""


def tier_at(where: str) -> Tier:
    """The tier a module defines, as ``module:attribute``.  Raises TypeError for anything else."""
    module, _, attribute = where.partition(":")
    tier = getattr(importlib.import_module(module), attribute)
    if not isinstance(tier, Tier):
        raise TypeError(f"{where} is no Tier but {type(tier).__name__}")
    return tier


def main(where: str, asked: str) -> None:
    """Do the slice; whatever it prints itself goes to standard error."""
    lines, told = sys.stdout, 0.0

    def say(**what: object) -> None:
        print(json.dumps(what), file=lines, flush=True)

    def tell(done: float) -> None:
        nonlocal told
        if done - told >= STEP:
            told = done
            say(done=done)

    with contextlib.redirect_stdout(sys.stderr):
        tally = tier_at(where).run(asked_of_json(asked), tell)
    say(tally=tally_as_dict(tally))


if __name__ == "__main__":
    main(*sys.argv[1:3])

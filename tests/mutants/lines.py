"""Cut out one line after the other, and see whether ``make test`` notices: ``python -m tests.mutants.lines [FILE …]``.

Each cut (:mod:`tests.mutants.cuts`) is tried in a program that has everything loaded (:mod:`tests.mutants.warm`): first on
the unit tests that watch its file; with ``--wider`` those that live are tried on everything that needs no server.  What was
tried is kept in lines.json, so that it goes on where it stopped.  Exit status 1 when a cut lives for no reason (``SPARED``
in :mod:`tests.mutants.spared`).  With ``--write`` the table goes to docs/mutants.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from tests.mutants.cuts import Cut, cuts
from tests.mutants.lines_kept import KEPT, OPEN, Tried, keep, kept, survivors, write_table
from tests.mutants.lines_watch import ROOT, WATCHED, WIDER, watchers
from tests.mutants.warm_run import ENDLESS, Warm

LONGEST_SECONDS = 300.0
"""The longest that tests may take with nothing cut out."""

PATIENCE = 5
"""A cut with which they take so many times longer, and some seconds, does not end: that is noticed too."""


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.lines", description=__doc__)
    parser.add_argument("files", nargs="*", default=list(WATCHED), help="the guards and what carries them, unless named")
    parser.add_argument("--seconds", type=float, default=8 * 3600, help="begin no new cut after so long")
    parser.add_argument("--again", action="store_true", help="also what was tried before")
    parser.add_argument("--wider", action="store_true", help="survivors only, on all tests that need no server")
    parser.add_argument("--kept", type=Path, default=KEPT, help="what was tried")
    parser.add_argument("--write", action="store_true", help="write the table of what is kept; try nothing")
    asked = parser.parse_args()
    if not asked.write:
        tried, until = kept(asked.kept), time.monotonic() + asked.seconds
        wanted = [cut for cut in every(asked.files) if asked.again or _is_to_try(cut, tried, wider=asked.wider)]
        run(wanted, tried, asked.kept, until, wider=asked.wider)
    else:
        tried = kept(asked.kept)
        there = {cut.name for cut in every(sorted({name.split(" ")[0] for name in tried}))}
        keep({name: by for name, by in tried.items() if name in there}, asked.kept)
        write_table()
    living = survivors(kept(asked.kept))
    print(f"{len(living)} live, and nobody says why:", *living, sep="\n")
    return 1 if living else 0


def every(files: Sequence[str]) -> Iterator[Cut]:
    """Every cut of these files that can be made in a running program."""
    for file in files:
        source = (ROOT / file).read_text(encoding="utf-8")
        yield from (cut for cut in cuts(file, source) if cut.in_function or cut.is_constant)


def run(wanted: Sequence[Cut], tried: Tried, where: Path, until: float, *, wider: bool = False) -> None:
    """Try these cuts, and keep what came of each."""
    tests = WIDER if wider else sorted({test for cut in wanted for test in watchers(cut.file)})
    with tempfile.TemporaryDirectory(prefix="cuts") as folder, Warm(Path(folder), tests) as warm:
        for some, together in groupby(wanted, lambda cut: tuple(warm.items if wider else warm.among(watchers(cut.file)))):
            longest = _longest(warm, some)
            for cut in together:
                if time.monotonic() > until:
                    return
                by = warm.noticed(cut, some, longest)
                if by == ENDLESS:  # or is the machine busier than it was?
                    longest = _longest(warm, some)
                    by = warm.noticed(cut, some, longest)
                by = by or ("" if wider else OPEN)
                print(f"{by:50.50} {cut.name}", flush=True)
                tried[cut.name] = by
                keep(tried, where)


def _longest(warm: Warm, tests: Sequence[str]) -> float:
    """How many seconds these tests may take with something cut out, by what they take with nothing."""
    began = time.monotonic()
    if wrong := warm.noticed(None, tests, LONGEST_SECONDS):
        raise SystemExit(f"{wrong} fails with nothing cut out")
    return PATIENCE * (1 + time.monotonic() - began)


def _is_to_try(cut: Cut, tried: Tried, *, wider: bool) -> bool:
    return tried.get(cut.name) == OPEN if wider else cut.name not in tried


if __name__ == "__main__":
    sys.exit(main())

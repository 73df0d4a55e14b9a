"""The mutants: ``python -m tests.mutants [NAME …]`` hunts them, ``replay NAME`` shows what one breaks.
``cross [NAME …]`` hunts those that only transactions which meet on PostgreSQL can miss, ``servers [NAME …]`` those that
are hunted in processes of their own.

With ``--write`` what was caught goes to catches.json and docs/mutants.md.  Exit status 1 when one survives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

from lab.simulation.show import told
from tests.mutants.crossing import CROSSINGS, hunt_crossing, postgres
from tests.mutants.hunt import BUDGET, Catch, control, hunt
from tests.mutants.memory import caught, known_catch, remember
from tests.mutants.on_servers import ON_SERVERS, hunt_on_servers
from tests.mutants.registry import MUTANTS
from tests.mutants.smaller import smallest
from tests.mutants.table import DOCUMENT, in_words, written

WORDS = (["replay"], ["cross"], ["servers"])


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants; or replay and one; or cross, or servers")
    parser.add_argument("--seeds", type=int, default=BUDGET, help="a mutant that outlives so many has survived")
    parser.add_argument("--write", action="store_true", help="write down what was caught")
    parser.add_argument("--diagram", type=Path, help="where replay draws its sequence diagram, as Markdown for Mermaid")
    asked = parser.parse_args()
    what, names = (asked.names[0], asked.names[1:]) if asked.names[:1] in WORDS else ("hunt", asked.names)
    known: Collection[str] = {"cross": CROSSINGS, "servers": ON_SERVERS}.get(what, MUTANTS)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no such mutant to {what}: {', '.join(unknown)}; there are {', '.join(known)}")
    if what == "replay":
        if len(names) != 1:
            parser.error("replay one of them, by its name: docs/mutants.md has them all")
        return replay(names[0], seeds=asked.seeds, diagram=asked.diagram)
    if what != "hunt":
        return cross(names) if what == "cross" else servers(names)
    survivors = [name for name in names or MUTANTS if not hunted(name, asked.seeds, write=asked.write)]
    if asked.write:
        DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"survived: {', '.join(survivors)}" if survivors else "All were caught that can be.")
    return 1 if survivors else 0


def cross(names: list[str]) -> int:
    """Hunt those that only crossing transactions can miss, on a PostgreSQL of their own."""
    wrong = 0
    with postgres():
        for name in names or CROSSINGS:
            mutant = CROSSINGS[name]
            met = hunt_crossing(mutant)
            wrong += (met is None) is not bool(mutant.harmless)
            again = f'python -m lab.interleaving "{mutant.scenario}" {mutant.mode}'
            what = f"{met.said}\n    with order {met.order}; with the defence, {again} {met.order}" if met else "nothing"
            print(f"{name}: {what}", flush=True)
    return 1 if wrong else 0


def servers(names: list[str]) -> int:
    """Hunt those in processes of their own, each on a RabbitMQ and a PostgreSQL of its own."""
    survived = 0
    for name in names or ON_SERVERS:
        said = hunt_on_servers(ON_SERVERS[name])
        survived += not said
        print(f"{name}: {said[0] if said else 'nothing was noticed'}", flush=True)
    return 1 if survived else 0


def hunted(name: str, seeds: int, *, write: bool) -> bool:
    """Hunt one; whether all is as it should be."""
    mutant = MUTANTS[name]
    catch = hunt(mutant, seeds)
    if catch is None:
        print(f"{name}: nothing in {seeds} seeds" + (f"; {mutant.harmless}" if mutant.harmless else ""), flush=True)
        return bool(mutant.harmless)
    small = smallest(catch, known_catch(mutant))
    print(f"{name}: seed {catch.seeds}: {small.check}\n    {in_words(small.case, small.mode)}", flush=True)
    if write:
        remember(small)
    return not mutant.harmless


def replay(name: str, *, seeds: int, diagram: Path | None) -> int:
    """Show what a mutant breaks, in the smallest case that is found."""
    mutant = MUTANTS[name]
    catch = caught(mutant, seeds)
    if catch is None:
        print(f"{name} survived {seeds} seeds.")
        return 1
    return show(smallest(catch), diagram or Path(f"{name}.md"))


def show(catch: Catch, diagram: Path) -> int:
    """The case with the mutant, and without it."""
    print(f"Without this defence: {catch.mutant.removed}")
    if catch.mutant.without:
        print(f"Nor is there the other layer: {catch.mutant.without.name}.")
    with catch.mutant.applied():
        print(told(catch.case, catch.case.run(), diagram))
    print("The command above runs the same case with every defence in its place; the mutant lives in the tests only.")
    sound = control(catch)
    still = f", and still without {catch.mutant.without.name}" if catch.mutant.without else ""
    print(f"With it{still}: {sound or 'every promise is kept.'}")
    return 1 if sound else 0


if __name__ == "__main__":
    sys.exit(main())

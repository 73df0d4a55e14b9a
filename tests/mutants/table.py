"""The table of docs/mutants.md: defence removed → what breaks → smallest counterexample.  Run, it writes it anew."""

from __future__ import annotations

from pathlib import Path

from lab.simulation.case import Case
from tests.mutants.crossing import CROSSINGS, Crossing
from tests.mutants.elsewhere import ELSEWHERE
from tests.mutants.memory import known_catch, remembered
from tests.mutants.mutant import Mutant
from tests.mutants.on_servers import ON_SERVERS, OnServers
from tests.mutants.registry import MUTANTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "mutants.md"
BEGIN, END = "<!-- generated: mutants -->", "<!-- end of generated: mutants -->"


def table() -> str:
    """All mutants with what caught them, as Markdown."""
    lines = ["| | defence removed | noticed by | seeds | smallest counterexample | replay |", "|---|---|---|---:|---|---|"]
    lines += [_row(mutant) for mutant in MUTANTS.values()]
    lines += ["", "Guards that only transactions which meet can miss, on PostgreSQL (`tests/mutants/crossing.py`):", ""]
    lines += ["| | defence removed | what meets | |", "|---|---|---|---|"]
    lines += [f"| {one.number} | {one.removed} | {one.scenario} | {_crossed(one)} |" for one in CROSSINGS.values()]
    lines += ["", "In processes of their own, on a real RabbitMQ and PostgreSQL (`tests/mutants/on_servers.py`):", ""]
    lines += ["| | defence removed | fault | hunt |", "|---|---|---|---|"]
    lines += [f"| {one.number} | {one.removed} | {_faults(one)} |" for one in ON_SERVERS.values()]
    lines += ["", "Elsewhere:", "", "| | defence removed | noticed by |", "|---|---|---|"]
    lines += [f"| {one.number} | {one.removed} | {one.noticed_by} |" for one in ELSEWHERE]
    return "\n".join(lines)


def _faults(mutant: OnServers) -> str:
    return f"{', '.join(dict.fromkeys(mutant.faults))} | `python -m tests.mutants servers {mutant.name}`"


def _crossed(mutant: Crossing) -> str:
    if mutant.harmless:
        return f"breaks nothing by itself: {mutant.harmless}"
    how = "deadlocks, which cost time and are repeated" if mutant.deadlocks else "noticed in some order of their statements"
    return f"{how}: `python -m tests.mutants cross {mutant.name}`"


def written(document: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = document.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


def _row(mutant: Mutant) -> str:
    removed = mutant.removed
    if mutant.without is not None:
        removed += f" With {mutant.without.name} off too; with only that off, the same case keeps this promise."
    if mutant.name not in remembered():
        noticed = f"breaks nothing by itself: {mutant.harmless}" if mutant.harmless else "not hunted yet"
        return f"| {mutant.number} | {removed} | {noticed} | | | |"
    catch = known_catch(mutant)
    assert catch is not None
    small = in_words(catch.case, catch.mode)
    return (f"| {mutant.number} | {removed} | {catch.check} | {catch.seeds} | {small} "
            f"| `python -m tests.mutants replay {mutant.name}` |")


def in_words(case: Case, mode: str) -> str:
    """What happens in a case, for a cell of a table."""
    work = case.workload
    orders = f"{len(work.wishes)} order{'s' * (len(work.wishes) > 1)}"
    fuss = [word for word, is_so in (
        ("a cancellation", any(wish.cancel_after is not None for wish in work.wishes)),
        ("a repeated request", any(wish.asks > 1 for wish in work.wishes)),
        *((f"a {chore.kind}" if chore.kind != "away" else "a service away", True) for chore in work.chores),
        ("two instances", case.instances > 1),
    ) if is_so]
    faults = [kind for _, kind in sorted(case.plan.items())]
    return f"{mode}: {', '.join([orders, *dict.fromkeys(fuss)])}; {', '.join(faults) or 'no fault'}"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")

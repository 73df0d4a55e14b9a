"""How far it is: a bar for each tier; where there is no terminal, a line for each tenth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from lab.verify.run import Watch
from lab.verify.tier import Tally


@contextmanager
def progress(console: Console, tiers: Iterable[str]) -> Iterator[Watch]:
    """Show it while it lasts."""
    if not console.is_terminal:
        yield _lines(console)
        return
    text = TextColumn("{task.description}")
    with Progress(text, BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=console) as bars:
        tasks = {name: bars.add_task(name, total=1.0, start=False) for name in tiers}

        def watch(tier: str, done: float, tally: Tally) -> None:
            bars.start_task(tasks[tier])
            bars.update(tasks[tier], completed=done, description=_words(tier, tally))

        yield watch


def _lines(console: Console) -> Watch:
    said: set[tuple[str, int]] = set()

    def watch(tier: str, done: float, tally: Tally) -> None:
        tenth = int(done * 10)
        if (tier, tenth) not in said:
            said.add((tier, tenth))
            console.print(f"{datetime.now():%H:%M:%S} {tenth * 10:3} % {_words(tier, tally)}", highlight=False)

    return watch


def _words(tier: str, tally: Tally) -> str:
    return f"[bold]{tier}[/] {tally.faults:,} faults, {len(tally.violations)} violations"

"""The benchmark on a screen: a bar while it goes on, tables when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lab.bench.result import Results
from lab.bench.session import Tick, Watch
from lab.bench.tables import grids
from lab.bench.targets import standing
from lab.compare.tables import Grid
from lab.wide import print_wide


@contextmanager
def progress(console: Console) -> Iterator[Watch]:
    """A bar that says how far it has come; where there is no terminal, a line for each thing that begins."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Seldom, since what drawing costs is taken from those who are measured.
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as bars:
        task = bars.add_task("", total=None)
        yield lambda tick: bars.update(task, description=_words(tick), completed=tick.done, total=tick.orders or None)


def _lines(console: Console) -> Watch:
    said: list[str] = []

    def watch(tick: Tick) -> None:
        if [words := _words(tick)] != said[-1:]:
            said.append(words)
            console.print(words, highlight=False)

    return watch


def _words(tick: Tick) -> str:
    turn = f", round {tick.turn} of {tick.turns}" if tick.turns else ""
    return f"[bold]{tick.mode or 'bench'}[/] {tick.doing}{f', {tick.team}' if tick.team else ''}{turn}"


def show(console: Console, results: Results) -> None:
    """The tables, and then what was to be reached."""
    for title, grid in {**grids(results), "Targets": standing(results)}.items():
        print_grid(console, title, grid)


def print_grid(console: Console, title: str, grid: Grid) -> None:
    """One table."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, heading in enumerate(grid.headings):
        table.add_column(heading, justify="right" if number > 1 else "left", no_wrap=True)
    for row in grid.rows:
        table.add_row(*row)
    print_wide(console, table)

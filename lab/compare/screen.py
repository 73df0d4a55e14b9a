"""The comparison on a screen: a bar while it goes on, tables when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lab.compare.plan import Plan
from lab.compare.result import Comparison
from lab.compare.run import Tick, Watch
from lab.compare.tables import Grid, calm_table, endings, outage_table
from lab.compare.verdict import verdicts
from lab.wide import print_wide


@contextmanager
def progress(console: Console, plan: Plan) -> Iterator[Watch]:
    """A bar that says how far it has come; where there is no terminal, a line for each thing that begins."""
    if not console.is_terminal:
        yield _lines(console)
        return
    text = TextColumn("{task.description}")
    with Progress(text, BarColumn(), TimeElapsedColumn(), console=console, transient=True) as bars:
        task = bars.add_task("", total=plan.orders)

        def watch(tick: Tick) -> None:
            bars.update(task, description=f"[bold]{tick.mode or 'compare'}[/] {tick.doing}", completed=tick.settled)

        yield watch


def _lines(console: Console) -> Watch:
    said: list[tuple[str, str]] = []

    def watch(tick: Tick) -> None:
        if [(tick.mode, tick.doing)] != said[-1:]:
            said.append((tick.mode, tick.doing))
            console.print(f"{tick.mode or 'compare'}: {tick.doing}", highlight=False)

    return watch


def show(console: Console, comparison: Comparison) -> None:
    """The tables, the verdicts, and whether every mode ended in the same state."""
    plan = comparison.plan
    many = f"{plan.clients} clients" if plan.clients > 1 else "one client"
    title = f"{plan.orders} orders, {many}, seed {plan.seed}, on {comparison.place}; counts are per order"
    _show(console, title, calm_table(comparison))
    if comparison.outage:
        _show(console, f"The same orders while {plan.down} is away, and after it is back", outage_table(comparison))
    for mode, words in verdicts(comparison).items():
        console.print(f"[bold]{mode}[/]: {words}", highlight=False)
    console.print()
    for line in endings(comparison):
        console.print(line, highlight=False)
    for broken in (*comparison.differences, *comparison.wrong):
        console.print(broken, style="red", highlight=False, markup=False)
    console.print("[green]Same balances, stock and statuses in every mode; every promise kept.[/]" if comparison.equal
                  else f"[red]Not the same, or not as foreseen.[/] Again: --seed {plan.seed}", highlight=False)


def _show(console: Console, title: str, grid: Grid) -> None:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, heading in enumerate(grid.headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for row in grid.rows:
        table.add_row(*row)
    print_wide(console, table)

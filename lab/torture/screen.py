"""The torture on a screen: a bar while it goes on, a table when it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lab.torture.course import Tick, Watch
from lab.torture.plan import Plan
from lab.torture.result import Result, Totals


@contextmanager
def progress(console: Console, plan: Plan) -> Iterator[Watch]:
    """A bar that says how far it has come; where there is no terminal, a line for each thing that begins."""
    if not console.is_terminal:
        yield _lines(console)
        return
    text = TextColumn("{task.description}")
    with Progress(text, BarColumn(), TimeElapsedColumn(), console=console, transient=True) as bars:
        task = bars.add_task("", total=plan.orders * len(plan.modes))

        def watch(tick: Tick) -> None:
            bars.update(task, description=_words(tick))
            if tick.mode:
                bars.update(task, completed=_before(plan, tick.mode) + tick.settled)

        yield watch


def _before(plan: Plan, names: str) -> int:
    """The orders of the rounds before this one."""
    return ["+".join(modes) for modes in plan.rounds].index(names) * plan.orders_in_round


def _lines(console: Console) -> Watch:
    said: list[tuple[str, str]] = []

    def watch(tick: Tick) -> None:
        if (tick.mode, tick.doing) not in said:
            said.append((tick.mode, tick.doing))
            console.print(f"{datetime.now():%H:%M:%S} {_words(tick)}", highlight=False)

    return watch


def _words(tick: Tick) -> str:
    numbers = f"{tick.accepted} accepted, {tick.settled} settled, {tick.strikes} strikes: " if tick.mode else ""
    return f"[bold]{tick.mode or 'torture'}[/] {numbers}{tick.doing}"


def show(console: Console, plan: Plan, totals: Totals) -> None:
    """The table of all modes, then the last audit, then what is broken."""
    where = "the embedded shop, one process" if plan.embedded else f"{plan.instances} instances of each service"
    title = f"Torture: {where}, {plan.clients} clients, seed {plan.seed}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("mode", "orders", "SUCCESS", "FAILED", "kills", "outages", "retried", "unheard", "seconds", "promises"):
        table.add_column(heading, justify="left" if heading in ("mode", "promises") else "right")
    for result in totals.results:
        table.add_row(*_row(result))
    console.print(table)
    console.print("retried: requests repeated with their key.  unheard: orders whose first answer got lost.")
    for result in totals.results:
        why = ", ".join(f"{number} {event}" for event, number in sorted(result.why_failed.items()))
        console.print(f"FAILED in {result.mode} by: {why or 'nothing'}", highlight=False)
    for result in totals.results:
        if result.faults or result.missed:
            told = [f"{times} {name}" for name, times in sorted(result.faults.items())]
            told += [f"{times} {name} in vain" for name, times in sorted(result.missed.items())]
            console.print(f"Faults in {result.mode}: {', '.join(told)}", highlight=False)
        if result.outages:
            console.print(_away(result), highlight=False)
    totals.audit.show(console)
    for result in totals.results:
        _broken(console, result)
    for ending in totals.endings:
        console.print(f"[red]{ending}[/]", highlight=False)
    if totals.logs:
        console.print(f"The logs of every process are in {totals.logs}", highlight=False)
    for what in totals.hardly:
        console.print(f"[red]{what}[/]: that says little about the rest.", highlight=False)
    verdict = "[green]Nothing lost, nothing doubled, every answer true.[/]"
    console.print(verdict if totals.clean else f"[red]Broken.[/] Again: --seed {plan.seed}", highlight=False)


def _row(result: Result) -> list[str]:
    counts = [result.orders, result.endings.get("SUCCESS", 0), result.endings.get("FAILED", 0)]
    strikes = [sum(result.killed.values()), len(result.outages)]
    troubles = [*strikes, result.retried, result.placed_unheard, round(result.seconds)]
    return [result.mode, *map(str, counts + troubles), "[green]kept[/]" if result.clean else "[red]broken[/]"]


def _away(result: Result) -> str:
    away = max(outage.away_seconds for outage in result.outages)
    back = max(outage.back_seconds for outage in result.outages)
    how = Counter(outage.how for outage in result.outages)
    red = sum(not outage.never_red for outage in result.outages)
    whole = sum(not outage.not_back for outage in result.outages)
    return (
        f"RabbitMQ in {result.mode}: {how['stopped']} times stopped, {how['killed']} killed; away at most {away:.0f} s. "
        f"Every /readyz was 503 meanwhile in {red} of {len(result.outages)}; every process ready and every consumer back "
        f"in {whole} of {len(result.outages)}, within {back:.1f} s at most."
    )


def _broken(console: Console, result: Result) -> None:
    for promise in (*result.report.promises, *result.truths):
        if promise.broken:
            worst = "; ".join(promise.broken[:5])
            times = f"broken {len(promise.broken)} times"
            console.print(f"[red]{result.mode}[/]: {promise.text}  {times}: {worst}", highlight=False)
    for left in result.report.unfinished:
        console.print(f"[yellow]{result.mode}: still under way: {left}[/]", highlight=False)

"""Questions of growth: two shops of ours that differ in one thing, measured in turn, or one shop under a long load.

Each is a plan, the teams that carry it out, and the table that answers the question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lab.bench.plan import Plan
from lab.bench.result import Results, loop_name
from lab.bench.teams import Team
from lab.compare.tables import Grid
from patterns.shop import SERVICES

MODE = "topic"
MANY = 10**6
GATEWAY = {"GATEWAY_LATENCY_SECONDS": "0.02", "GATEWAY_CALLS_IN_FLIGHT": "1"}
"""A gateway that takes 20 ms, asked by one call at a time: an instance takes 50 payments a second at most."""


@dataclass(frozen=True)
class Experiment:
    """One question; ``orders`` are those of each drain, unless somebody wants others."""

    question: str
    orders: int
    clients: tuple[int, ...]
    rounds: int
    teams: Callable[[Plan], list[Team]]
    answer: Callable[[Results], list[tuple[str, ...]]]

    def plan(self, wanted: Mapping[str, Any]) -> Plan:
        """The plan of it; what is wanted otherwise is otherwise."""
        usual = {"orders": self.orders, "rounds": self.rounds}
        return replace(
            Plan(**{**usual, **wanted}), modes=(MODE,), kinds=("drain", "accept", *(("closed",) if self.clients else ())),
            clients=self.clients, half_load=False, idle_seconds=0, limit_seconds=7200)

    def grid(self, results: Results) -> Grid:
        """The answer as a table."""
        return Grid(("what", "wanted", "reached"), self.answer(results))


def _compared(
    pair: tuple[str, str], wanted: float, what: Sequence[str], figure: str = "orders_per_second"
) -> Callable[[Results], list[tuple[str, ...]]]:
    def answer(results: Results) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for one in what:
            if (ratio := results.ratio(MODE, one, figure, pair)) is not None:
                rates = " / ".join(f"{results.median(MODE, one, team, figure) or 0:.1f}" for team in pair)
                missed = "" if ratio.median >= wanted else " (missed)"
                rows.append((f"{one}, {pair[0]} by {pair[1]}: {figure.replace('_', ' ')}", f"≥ {wanted:g}",
                             f"{rates} = {ratio}{missed}"))
        return rows

    return answer


def _steady(results: Results) -> list[tuple[str, ...]]:
    """Whether a backlog is drained as fast at last as at first, and whether memory stays."""
    def figure(name: str) -> float | None:
        return results.median(MODE, "drain", ALONE, name)

    rows = [("backlog drained, orders per second", "–", f"{figure('orders_per_second') or 0:.1f}")]
    if (early := figure("early_per_second")) and (late := figure("late_per_second")):
        slowest, steady = figure("slowest_part_per_second") or 0.0, figure("steady_per_second") or 1.0
        rows.append(("second half of the steady middle by the first", "≥ 0.9", _judged(late / early, late / early >= 0.9)))
        rows.append(("slowest eighth of it by the whole", "–", f"{slowest / steady:.2f}"))
    grown = figure("memory_grown_percent") or 0.0
    rows.append(("most that a process grew in the last 80 %, %", "≤ 5", _judged(grown, grown <= 5)))
    memory = f"{figure('memory_early_mib') or 0:.0f} / {figure('memory_late_mib') or 0:.0f}"
    return [*rows, ("MiB of all processes after a fifth / at the end", "–", memory)]


def _judged(value: float, met: bool) -> str:
    return f"{value:.2f}{'' if met else ' (missed)'}"


def _settled(results: Results) -> list[tuple[str, ...]]:
    """How fast a shop with two of everything is; that its books are right, the run itself has seen to."""
    return [(f"{what}, orders per second, all promises kept", "–", f"{rate:.1f}")
            for what in ("drain", loop_name(64)) if (rate := results.median(MODE, what, TWOFOLD, "orders_per_second"))]


EMPTY, FULL = "empty", "full"
ONE, FOUR = "one-payment", "four-payments"
ALONE, TWOFOLD = "alone", "twofold"

EXPERIMENTS = {
    "growth": Experiment(
        # So many that pages change for the first time since the last checkpoint, which PostgreSQL writes down whole, become
        # few, as in a shop that has been open for a while: the index of a million ids has 5,000 pages.
        "Is it as fast with many settled orders in its tables as with none?", 4000, (16,), 3,
        lambda plan: [Team(EMPTY), Team(FULL, rows=plan.rows or MANY)],
        _compared((FULL, EMPTY), 0.9, ("drain", "accept", loop_name(16)))),
    "backlog": Experiment(
        "Is a long backlog drained at one rate, and in the same memory?", 100_000, (), 1,
        lambda plan: [Team(ALONE, rows=plan.rows, scale=plan.scale)], _steady),
    "scale-out": Experiment(
        "Do four payment instances settle what four can, where one waits for its gateway?", 2000, (), 3,
        lambda plan: [Team(ONE, environment=GATEWAY), Team(FOUR, environment=GATEWAY, scale=plan.scale or {"payment": 4})],
        _compared((FOUR, ONE), 3.6, ("drain",))),
    "twofold": Experiment(
        "Do two instances of every service stay correct at full load?", 2000, (64,), 1,
        lambda _: [Team(TWOFOLD, scale=dict.fromkeys(SERVICES, 2))], _settled),
}

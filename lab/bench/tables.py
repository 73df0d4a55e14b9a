"""The tables of a benchmark, made once for the screen and for the pages."""

from __future__ import annotations

from collections.abc import Mapping

from lab.bench.result import BARE, HALF, OURS, Results, loop_name
from lab.compare.tables import Grid

SPLIT = ("services", "broker", "database")
STEADY = ("early_per_second", "late_per_second", "memory_early_mib", "memory_late_mib")
COUNTS = ("messages", "copies", "transactions", "statements")


def grids(results: Results) -> dict[str, Grid]:
    """Every table that there are figures for, by its title."""
    modes = [*results.rounds]
    made = {
        "Orders per second": throughput(results),
        "Milliseconds from POST to settled": latency(results),
        "What an order costs, while a backlog is drained": costs(results, {mode: costed(results, mode) for mode in modes}),
        "What it costs to accept an order": costs(results, {mode: "accept" for mode in modes}),
        "Peak memory of a process, MiB": memory(results),
        "How steady a drain is: its middle's first half and second": steadiness(results),
    }
    return {title: grid for title, grid in made.items() if grid.rows}


def throughput(results: Results) -> Grid:
    """Orders per second of everything that was measured: ours, bare, and the ratio of each round."""
    rows = [(mode, what, _pair(results, mode, what, "orders_per_second"), str(ratio), _steady(results, mode, what))
            for mode in results.rounds for what in results.rounds[mode] if what != HALF
            and (ratio := results.ratio(mode, what, "orders_per_second"))]
    return Grid(("mode", "measured", "ours / bare", "ratio (least to most)", "steady middle ours / bare"), rows)


def latency(results: Results) -> Grid:
    """Percentiles of everything that was timed."""
    rows = []
    for mode in results.rounds:
        for what in results.rounds[mode]:
            if (ratio := results.ratio(mode, what, "p50_ms")) is not None:
                pairs = [_pair(results, mode, what, figure) for figure in ("p50_ms", "p95_ms", "p99_ms")]
                tail = _figure(results, mode, what, OURS, "p99_ms") / _figure(results, mode, what, OURS, "p50_ms")
                rows.append((mode, what, *pairs, str(ratio), f"{tail:.1f}"))
    return Grid(("mode", "measured", "p50 ours / bare", "p95", "p99", "p50 ratio", "our p99 by p50"), rows)


def costs(results: Results, measured: Mapping[str, str]) -> Grid:
    """What an order costs in a measurement of each mode: processor time by whom, and counts."""
    rows = []
    for mode, what in measured.items():
        for team in (OURS, BARE) if what in results.rounds[mode] else ():
            split = [results.median(mode, what, team, f"cpu_ms_{who}") for who in SPLIT]
            whole = [] if None in split else [f"{sum(part or 0 for part in split):.2f}"]
            counts = [_shown(results.median(mode, what, team, name), 1) for name in COUNTS]
            rows.append((mode, team, *(_shown(part, 2) for part in split), *(whole or ["–"]), *counts))
    return Grid(("mode", "whose", "services ms", "broker ms", "database ms", "all ms", *COUNTS), rows)


def costed(results: Results, mode: str) -> str:
    """The measurement that costs are taken from: the drain, else the busiest closed loop; empty if there is none."""
    wanted = ("drain", *map(loop_name, sorted(results.plan.clients, reverse=True)))
    return next((what for what in wanted if what in results.rounds.get(mode, {})), "")


def steadiness(results: Results) -> Grid:
    """Rate and memory early and late in each drain: what grows with the work would show here."""
    rows = [(mode, team, *(_shown(results.median(mode, "drain", team, figure), 1) for figure in STEADY))
            for mode, measured in results.rounds.items() if "drain" in measured for team in (OURS, BARE)]
    return Grid(("mode", "whose", "orders/s early", "late", "MiB of all processes early", "late"), rows)


def memory(results: Results) -> Grid:
    """The most memory each process ever had, with all modes in it."""
    ours, bare = results.memory.get(OURS, {}), results.memory.get(BARE, {})
    rows = [(name.removeprefix("ours-"), f"{most:.0f}", f"{bare.get(name.replace(OURS, BARE, 1), 0):.0f}")
            for name, most in ours.items()]
    return Grid(("process", "ours", "bare"), rows)


def _pair(results: Results, mode: str, what: str, figure: str) -> str:
    return " / ".join(_shown(results.median(mode, what, team, figure), 1) for team in (OURS, BARE))


def _steady(results: Results, mode: str, what: str) -> str:
    ratio = results.ratio(mode, what, "steady_per_second")
    return "" if ratio is None else f"{_pair(results, mode, what, 'steady_per_second')} ({ratio.median:.2f})"


def _figure(results: Results, mode: str, what: str, team: str, figure: str) -> float:
    return results.median(mode, what, team, figure) or 0.0


def _shown(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"

"""What the benchmark is to reach, and what it did: ratios to the bare program of the same run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.bench.result import HALF, OURS, Results, loop_name
from lab.compare.tables import Grid

ASYNC = ("default", "fanout", "direct", "topic", "saga")
RPC = ("rpc",)
EVERY = (*RPC, *ASYNC)


@dataclass(frozen=True)
class Target:
    """One target: of which modes, what it is, and whether more is better."""

    what: str
    modes: tuple[str, ...]
    wanted: float
    at_least: bool
    reached: Callable[[Results, str], float | None]

    def met(self, value: float) -> bool:
        """Whether this is good enough."""
        return value >= self.wanted if self.at_least else value <= self.wanted


def _ratio(what: str, figure: str) -> Callable[[Results, str], float | None]:
    def reached(results: Results, mode: str) -> float | None:
        ratio = results.ratio(mode, what, figure)
        return None if ratio is None else ratio.median

    return reached


def _services_cpu(results: Results, mode: str) -> float | None:
    return results.median(mode, "drain", OURS, "cpu_ms_services")


def _tail(results: Results, mode: str) -> float | None:
    p99, p50 = (results.median(mode, HALF, OURS, figure) for figure in ("p99_ms", "p50_ms"))
    return p99 / p50 if p99 and p50 else None


RATE = "orders_per_second"


def _idle(results: Results, mode: str) -> float | None:
    return results.median(mode, "idle", OURS, "idle_percent")


TARGETS = (
    Target("drain, by bare", ASYNC, 0.6, True, _ratio("drain", RATE)),
    Target("closed loop, 16 clients, by bare", ASYNC, 0.7, True, _ratio(loop_name(16), RATE)),
    Target("rpc, 16 clients, by bare", RPC, 0.5, True, _ratio(loop_name(16), RATE)),
    Target("CPU ms of all services per order, drain", ("topic",), 2.0, False, _services_cpu),
    Target("one order at a time, p50, by bare", EVERY, 2.0, False, _ratio(loop_name(1), "p50_ms")),
    Target("p99 by p50, at half load", EVERY, 8.0, False, _tail),
    Target("an idle service, % of a core", EVERY, 1.0, False, _idle),
    Target("HTTP accept, by bare", ASYNC, 0.5, True, _ratio("accept", RATE)),
)


def standing(results: Results) -> Grid:
    """Each target that was measured: what is wanted, and what each mode reached."""
    rows = []
    for target in TARGETS:
        reached = {mode: value for mode in target.modes if (value := target.reached(results, mode)) is not None}
        if reached:
            missed = {mode: "" if target.met(value) else " (missed)" for mode, value in reached.items()}
            shown = ", ".join(f"{mode} {value:.2f}{missed[mode]}" for mode, value in reached.items())
            rows.append((target.what, f"{'≥' if target.at_least else '≤'} {target.wanted:g}", shown))
    return Grid(("what", "wanted", "reached"), rows)

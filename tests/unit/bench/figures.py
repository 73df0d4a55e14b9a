"""A benchmark made up of figures, as no shop ever gave them."""

from __future__ import annotations

from lab.bench.measures import Figures
from lab.bench.plan import Plan
from lab.bench.result import BARE, OURS, Results

COST: Figures = {
    "cpu_ms_services": 1.5, "cpu_ms_broker": 0.5, "cpu_ms_database": 1.0, "cpu_ms_load": 0.5, "messages": 6.0,
    "copies": 10.0, "transactions": 2.0, "statements": 20.0,
}
TIMES: Figures = {f"p{share}_ms": float(share) for share in (5, 10, 25, 50, 75, 90, 95, 99)}


def made_up(*rates: tuple[float, float]) -> Results:
    """Mode topic, with these orders per second of ours and bare in each round, in everything."""
    plan = Plan(modes=("topic",), rounds=len(rates))
    results = Results(plan, "a made-up place", circumstances=["Command: `x`", "When: now", "Where: here"])
    for rate in rates:
        for team, per_second in zip((OURS, BARE), rate, strict=True):
            for what in ("drain", "accept", "closed 1", "closed 4", "closed 16", "closed 64", "half load"):
                results.note("topic", what, team, {"orders_per_second": per_second, **TIMES, **COST})
    results.memory = {OURS: {"ours-order-1": 90.0}, BARE: {"bare-order-1": 30.0}}
    return results

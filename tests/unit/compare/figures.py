"""A comparison made up of figures, as no shop ever gave them."""

from __future__ import annotations

from typing import Any

from lab.compare.figures import Spread
from lab.compare.plan import Plan
from lab.compare.result import Calm, Comparison, Ending, Outage
from lab.compare.state import FinalState


def calm(**figures: Any) -> Calm:
    spread = Spread(50.0, 90.0, 99.0)
    usual: dict[str, Any] = {
        "ending": Ending(2, {"SUCCESS": 1, "FAILED": 1}, {"StockRejected": 1}, FinalState(), []), "messages": 6.0,
        "copies": 10.0, "ignored": 0.0, "again": 0, "transactions": 14.0, "bytes": 2000, "commits": {}, "codes": {"202": 2},
        "final_answers": 0.0, "polls": 1.0, "answered": spread, "settled": spread, "seconds": 1.0, "latencies": [50.0, 90.0],
    }
    return Calm(**{**usual, **figures})


def outage(**figures: Any) -> Outage:
    usual: dict[str, Any] = {
        "ending": Ending(2, {"SUCCESS": 1, "FAILED": 1}, {"StockRejected": 1}, FinalState(), []), "seconds": 10.0,
        "asked": 2, "final": 0, "accepted": 2, "refused": 0, "cancelled": 0, "answered": Spread(9.0, 20.0, 30.0),
        "settled_meanwhile": 1, "again": 0, "recovery_seconds": 0.5, "settled_at": [1.0, 10.5],
    }
    return Outage(**{**usual, **figures})


def made_up(plan: Plan | None = None, **modes: dict[str, Any]) -> Comparison:
    """A comparison with these figures of each mode; those of the outage begin with ``outage_``."""
    found = Comparison(plan or Plan(modes=tuple(modes)), "a made-up place")
    for mode, figures in modes.items():
        away = {name.removeprefix("outage_"): figure for name, figure in figures.items() if name.startswith("outage_")}
        found.calm[mode] = calm(**{name: one for name, one in figures.items() if not name.startswith("outage_")})
        found.outage[mode] = outage(**away)
    return found

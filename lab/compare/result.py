"""What came of a comparison, as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.compare.figures import Spread, Traffic
from lab.compare.plan import Plan
from lab.compare.state import FinalState, differences


@dataclass
class Ending:
    """How a run ended, whatever it was: the state, what is wrong with it, and how many orders failed and why."""

    settled: int
    endings: dict[str, int]
    why_failed: dict[str, int]
    state: FinalState
    wrong: list[str]
    """Promises the audit found broken, and orders that did not end as they had to."""


@dataclass
class Calm:
    """One mode with everything in place; counts are per order."""

    ending: Ending
    messages: float
    copies: float
    """Copies that services heard, those included that meant nothing to them."""
    ignored: float
    again: int
    transactions: float
    bytes: float
    commits: dict[str, int]
    """Everything committed in the run, by its work, housekeeping included."""
    codes: dict[str, int]
    final_answers: float
    """The share of first answers that were the ending."""
    polls: float
    answered: Spread
    settled: Spread
    seconds: float
    latencies: list[float] = field(repr=False)
    """Milliseconds from request to settled, for each order."""


@dataclass
class Outage:
    """One mode while a service was away."""

    ending: Ending
    seconds: float
    asked: int
    """Orders that clients placed while it was away."""
    final: int
    accepted: int
    refused: int
    """How many of these were refused at least once."""
    cancelled: int
    answered: Spread
    settled_meanwhile: int
    """Orders settled before it was back."""
    again: int
    recovery_seconds: float
    """From the moment it was started again until the last order was settled; 0 when none waited for it."""
    settled_at: list[float] = field(repr=False)
    """Seconds from the first request to settled, for each order."""


@dataclass
class Comparison:
    """What came of all modes."""

    plan: Plan
    place: str
    calm: dict[str, Calm] = field(default_factory=dict)
    outage: dict[str, Outage] = field(default_factory=dict)

    @property
    def differences(self) -> list[str]:
        """What is not the same in every mode."""
        calm = differences({mode: one.ending.state for mode, one in self.calm.items()})
        outage = differences({mode: one.ending.state for mode, one in self.outage.items()})
        return calm + [f"after the outage, {difference}" for difference in outage]

    @property
    def wrong(self) -> list[str]:
        """What is wrong in one mode by itself."""
        calm = [f"{mode}: {wrong}" for mode, one in self.calm.items() for wrong in one.ending.wrong]
        outage = [f"{mode}, outage: {wrong}" for mode, one in self.outage.items() for wrong in one.ending.wrong]
        return calm + outage

    @property
    def equal(self) -> bool:
        """Whether every mode ended in the same state, the foreseen one, and every promise is kept."""
        return not self.differences and not self.wrong

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain data; the final state once, when it is the same everywhere."""
        found = asdict(self)
        for run in ("calm", "outage"):
            states = [one["ending"].pop("state") for one in found[run].values()]
            found[f"{run}_state"] = states[0] if states and self.equal else dict(zip(found[run], states, strict=True))
        return {"equal": self.equal, "differences": self.differences, "wrong": self.wrong, **found}


def per_order(total: float, orders: int) -> float:
    """A figure per order, as far as it says something."""
    return round(total / orders, 2)


def costs(traffic: Traffic, ignored: int, orders: int) -> dict[str, Any]:
    """The figures per order that traffic gives."""
    return {
        "messages": per_order(traffic.said, orders), "copies": per_order(traffic.heard + ignored, orders),
        "ignored": per_order(ignored, orders), "again": traffic.again, "bytes": round(traffic.bytes / orders),
    }


def counted(things: list[str]) -> dict[str, int]:
    """How many of each, the most frequent first."""
    return dict(Counter(things).most_common())

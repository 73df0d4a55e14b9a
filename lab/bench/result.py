"""What was measured: every round of every measurement, of both; medians and ratios are computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from lab.bench.measures import Figures
from lab.bench.plan import Plan

HALF = "half load"
OURS, BARE = "ours", "bare"

Rounds = dict[str, list[Figures]]
"""By team, the figures of one measurement in each round."""


def loop_name(clients: int) -> str:
    """What a closed loop with so many clients is called."""
    return f"closed {clients}"


@dataclass(frozen=True)
class Ratio:
    """Ours divided by bare, of the same round: the median of all rounds, the least and the most."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        spread = f" ({self.least:.2f} to {self.most:.2f})" if self.least != self.most else ""
        return f"{self.median:.2f}{spread}"


@dataclass
class Results:
    """A run of the benchmark; ``memory`` is in MiB, by team and process."""

    plan: Plan
    place: str
    rounds: dict[str, dict[str, Rounds]] = field(default_factory=dict)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    circumstances: list[str] = field(default_factory=list)

    def note(self, mode: str, what: str, team: str, figures: Figures) -> None:
        """Keep the figures of one measurement in one round."""
        self.rounds.setdefault(mode, {}).setdefault(what, {}).setdefault(team, []).append(
            {name: round(value, 4) for name, value in figures.items()})

    def latest(self, mode: str, what: str, team: str) -> Figures:
        """The figures of the last round."""
        return self.rounds[mode][what][team][-1]

    def median(self, mode: str, what: str, team: str, figure: str) -> float | None:
        """The median of all rounds; None where it was not measured."""
        rounds = self.rounds.get(mode, {}).get(what, {}).get(team, [])
        return median(one[figure] for one in rounds) if rounds and all(figure in one for one in rounds) else None

    def ratio(self, mode: str, what: str, figure: str, pair: tuple[str, str] = (OURS, BARE)) -> Ratio | None:
        """One team's figure by the other's, round by round: ours by bare, unless others were measured."""
        measured = self.rounds.get(mode, {}).get(what, {})
        ours, bare = (measured.get(team, []) for team in pair)
        if not ours or not bare or not all(figure in one for one in (*ours, *bare)):
            return None
        ratios = [one[figure] / other[figure] for one, other in zip(ours, bare, strict=True) if other[figure]]
        return Ratio(median(ratios), min(ratios), max(ratios)) if ratios else None

    def as_dict(self) -> dict[str, Any]:
        """The results as plain data."""
        return {
            "circumstances": self.circumstances, "place": self.place,
            "plan": {"modes": [*self.plan.modes], "orders": self.plan.orders, "clients": [*self.plan.clients],
                     "rounds": self.plan.rounds, "kinds": [*self.plan.kinds], "scale": dict(self.plan.scale),
                     "rows": self.plan.rows},
            "rounds": self.rounds, "memory_mib": self.memory,
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Results:
        """Results from plain data."""
        given = data["plan"].items()
        plan: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given}
        return cls(Plan(**plan), data["place"], data["rounds"], data["memory_mib"], data["circumstances"])

"""One run as data: what customers do, the schedule's seed, what breaks where.  It can be written down and run again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from lab.simulation.faults import KINDS
from lab.simulation.run import Result, simulate
from lab.simulation.stores import Kind
from lab.simulation.workload import Workload
from patterns.errors import SettingsError
from patterns.settings import MODES


@dataclass(frozen=True)
class Case:
    """A workload, a seed for the schedule, and a plan: the number of a place → the kind of fault that comes there."""

    workload: Workload = field(default_factory=Workload)
    seed: int = 0
    plan: Mapping[int, str] = field(default_factory=dict)
    instances: int = 1
    switching: float = 0.2
    store: Kind = "serial"
    """Whether transactions of one database come one after another, or cross."""

    def run(self) -> Result:
        """Simulate it."""
        return simulate(
            self.workload, self.seed, plan=self.plan, instances=self.instances, switching=self.switching, store=self.store)

    def as_dict(self) -> dict[str, Any]:
        """As JSON writes it; what is as always is left out."""
        written: dict[str, Any] = _CASES.dump_python(self, mode="json", exclude_defaults=True)
        return written

    @classmethod
    def of(cls, written: Any) -> Self:
        """Read what :meth:`as_dict` wrote.  Raises SettingsError for what is no case."""
        try:
            case = _CASES.validate_python(written)
        except ValidationError as error:
            raise SettingsError(f"This is no case of a simulation: {error}") from error
        if unknown := [kind for kind in case.plan.values() if kind not in KINDS]:
            raise SettingsError(f"{unknown[0]} is no kind of fault; there are {', '.join(KINDS)}")
        if unknown := [wish.mode for wish in case.workload.wishes if wish.mode not in MODES]:
            raise SettingsError(f"{unknown[0]} is no mode; there are {', '.join(MODES)}")
        return cls(case.workload, case.seed, case.plan, case.instances, case.switching, case.store)

    def in_mode(self, mode: str) -> Case:
        """The same, with every order travelling in this mode."""
        wishes = tuple(replace(wish, mode=mode) for wish in self.workload.wishes)
        return replace(self, workload=replace(self.workload, wishes=wishes))

    @property
    def command(self) -> str:
        """What replays it."""
        written = self.as_dict()
        words = ["orderflow", "simulate", "--seed", str(self.seed), "--plan", _short(written.get("plan", {}))]
        words += ["--workload", _short(written.get("workload", {}))]
        words += ["--instances", str(self.instances)] if self.instances != 1 else []
        words += ["--switching", str(self.switching)] if self.switching != Case.switching else []
        words += ["--store", self.store] if self.store != Case.store else []
        return shlex.join(words)


_CASES = TypeAdapter(Case)


def _short(written: Any) -> str:
    return json.dumps(written, separators=(",", ":"))

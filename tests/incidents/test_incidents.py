"""Accidents of other systems, replayed in a simulated shop: with the guarantee nothing is broken, without it something is.

The table of them is in README.md, and is held against the library.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from lab.simulation import run as running
from lab.simulation.faults import Injector
from lab.simulation.run import Result, simulate
from lab.simulation.workload import Wish, Workload
from tests.incidents.library import INCIDENTS, Incident

SEEDS = 40
"""Without its guarantee an accident happens within so many runs; nearly always in the first."""

EACH = [pytest.param(incident, mode, id=f"{incident.name}-{mode}") for incident in INCIDENTS for mode in incident.modes]

whole = [pytest.mark.whole]

SHOWN = [
    pytest.param(incident, mode, id=f"{incident.name}-{mode}",
                 marks=[] if mode == incident.modes[(number + 1) % len(incident.modes)] and not incident.rare else whole)
    for number, incident in enumerate(INCIDENTS) for mode in incident.modes
]
"""In one mode each, in turn; in all by TESTS=whole."""


@pytest.fixture(autouse=True)
def _simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(running, "QUIET_SECONDS", 150.0)  # what is not at rest by then never is
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


def happens(incident: Incident, mode: str, seed: int) -> Result:
    """The incident in this mode, to one order."""
    day = Workload(wishes=(Wish(user=incident.user, mode=mode, items=((1, 2),), cancel_after=incident.cancel_after),))
    weights = dict.fromkeys(incident.faults, 1.0)
    plan = planned(incident, day, seed) if incident.moment else None
    return simulate(day, seed, plan=plan, rate=incident.rate, weights=weights, instances=incident.instances)


def planned(incident: Incident, day: Workload, seed: int) -> Mapping[int, str]:
    """The place at which its moment comes in a run without faults, and what happens there."""
    assert incident.moment is not None
    process, message, place = incident.moment
    found: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        real, met = Injector.at, set[str]()

        def at(self: Injector, at_place: str, whose: str = "") -> str | None:
            task = self.world.scheduler.current
            name = "" if task is None else task.process.name
            if name.startswith(process) and message in whose:
                met.add(name)
            if name in met and at_place == place:
                found.append(self.number + 1)
            return real(self, at_place, whose)

        patch.setattr(Injector, "at", at)
        simulate(day, seed, instances=incident.instances)
    return {found[0]: incident.faults[0]} if found else {}


@pytest.mark.parametrize(("incident", "mode"), EACH)
def test_it_does_not_happen_here(incident: Incident, mode: str) -> None:
    result = happens(incident, mode, 0)
    assert not result.broken, (incident.guarantee, result.broken)
    assert result.happened or not incident.faults, "nothing went wrong, so nothing is shown"


@pytest.mark.parametrize(("incident", "mode"), SHOWN)
def test_without_its_guarantee_it_does(incident: Incident, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    incident.without(monkeypatch)
    assert any(happens(incident, mode, seed).broken for seed in range(SEEDS)), incident.guarantee


def test_the_table_tells_of_each() -> None:
    table = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    told = [words for each in INCIDENTS for words in (*each.urls, each.told, each.guarantee)]
    assert not (missing := [words for words in told if words not in table]), missing

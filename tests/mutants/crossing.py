"""Mutants that only transactions which meet can miss, hunted on PostgreSQL in every order of statements that matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from lab.interleaving.episode import SCENARIOS, Episode
from lab.interleaving.tier import prepared
from lab.servers import Databases, PrivatePostgres
from patterns.settings import configure, settings
from tests.mutants import patches_crossing as crossing
from tests.mutants import patches_messages as messages
from tests.mutants.mutant import Patch, together


@dataclass(frozen=True)
class Crossing:
    """A defence taken away, and the transactions that meet where it stood."""

    name: str
    number: str
    removed: str
    patch: Patch
    scenario: str
    mode: str = "topic"
    harmless: str = ""
    deadlocks: bool = False
    """Whether it is noticed by the deadlocks: these are repeated, so that nothing else is broken."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The shop without this defence."""
        with pytest.MonkeyPatch.context() as patches:
            self.patch(patches)
            yield


@dataclass(frozen=True)
class Met:
    """What a hunt found: how many orders of statements it took, and what was said of the one that broke something."""

    episodes: int
    said: str
    order: str


CROSSINGS: dict[str, Crossing] = {one.name: one for one in (
    Crossing("inbox-looked-up", "8", "The inbox is asked whether it knows a message, which is noted afterwards.",
             crossing.inbox_looked_up, "product: one reservation, delivered twice",
             harmless="the step's row refuses the second"),
    Crossing("inbox-looked-up-no-guard", "8a", "The same, and the step rows do not notice a duplicate.",
             together(crossing.inbox_looked_up, crossing.step_looked_up), "product: one reservation, delivered twice"),
    Crossing("step-looked-up", "10", "The step's row is looked for, and written afterwards.",
             crossing.step_looked_up, "product: one reservation under two ids"),
    Crossing("step-looked-up-no-inbox", "10b", "The same, and nobody remembers which messages were heard.",
             together(messages.no_inbox, crossing.step_looked_up), "product: one reservation, delivered twice"),
    Crossing("move-looked-up", "10a", "The step's state is read, and changed afterwards.",
             crossing.move_looked_up, "product: a release under two ids"),
    Crossing("shelf-looked-up", "12", "The shelf is read, and written back with less on it.",
             crossing.shelf_looked_up, "product: two orders, one last piece"),
    Crossing("account-looked-up", "13", "The account is read, and written back with less in it.",
             crossing.account_looked_up, "user: two orders, money for one"),
    Crossing("ending-looked-up", "20b", "The order's status is read, and overwritten afterwards.",
             crossing.ending_looked_up, "order: confirmed or cancelled"),
    Crossing("locks-as-they-come", "29", "Products are locked in the order in which the customer names them.",
             crossing.locks_as_they_come, "product: two orders for two products, the other way round", deadlocks=True),
    Crossing("deadlock-not-repeated", "30a", "A transaction that PostgreSQL ends for a deadlock is not repeated.",
             messages.a_deadlock_is_a_failure,
             "product: an order for two products and somebody who locks backwards"),
)}


@contextmanager
def postgres() -> Iterator[None]:
    """A server and databases of one's own."""
    before = settings()
    with PrivatePostgres(fsync=False) as server:
        configure(database_url=Databases(server).fresh())
        try:
            yield
        finally:
            configure(**before.model_dump())


def hunt_crossing(mutant: Crossing) -> Met | None:
    """Try every order that matters until something is noticed (on the databases that DATABASE_URL names)."""
    with mutant.applied():
        return _noticed(mutant, episodes_of(mutant))


def control_crossing(mutant: Crossing) -> Met | None:
    """The same with the defence in its place."""
    return _noticed(mutant, episodes_of(mutant))


def episodes_of(mutant: Crossing) -> Iterator[Episode]:
    """Every order that matters of the transactions that meet."""
    named = {f"{scenario.service}: {scenario.name}": scenario for scenario in SCENARIOS}
    with prepared([(named[mutant.scenario], mutant.mode)]) as [play]:
        yield from play.episodes()


def _noticed(mutant: Crossing, episodes: Iterator[Episode]) -> Met | None:
    for number, episode in enumerate(episodes, 1):
        said: Sequence[str] = episode.broken
        if mutant.deadlocks and episode.crossing.deadlocks:
            said = (f"{episode.crossing.deadlocks} deadlocks",)
        if said:
            return Met(number, said[0], episode.crossing.order)
    return None



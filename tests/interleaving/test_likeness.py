"""The simulated database whose transactions cross does what PostgreSQL does, in the same order of statements.

Here a few orders of some scenarios; ``orderflow verify --tier database`` compares every order that it plays.
"""

from __future__ import annotations

from itertools import islice

import pytest

from lab.interleaving.likeness import Twin
from lab.simulation import locks
from lab.simulation.crossing_view import View
from tests.interleaving.plays import Plays

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]

ALIKE = (
    ("user", "two orders, money for one"), ("user", "one request under two ids"), ("user", "a hold and the account's end"),
    ("user", "a batch and somebody who locks backwards"), ("product", "two orders, one last piece"),
    ("product", "a reservation and its release"), ("product", "a refused order lets go what another wants"),
    ("order", "confirmed or cancelled"), ("payment", "two relays"), ("payment", "pruned while it comes again"),
)


def unlike(play: Plays, service: str, name: str, most: int = 6) -> list[str]:
    """How the two differed, in so many orders."""
    played = play(service, name)
    twin = Twin(played)
    found = [(episode.again, twin.unlike(episode)) for episode in islice(played.episodes(), most)]
    return [f"{again}: {what}" for again, what in found if what]


@pytest.mark.parametrize(("service", "name"), ALIKE)
def test_it_does_what_postgresql_does(service: str, name: str, play: Plays) -> None:
    assert not (found := unlike(play, service, name)), "\n".join(found)


def test_a_database_that_waits_for_nobody_is_found_out(play: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks.Locks, "against", lambda *_: [])
    assert unlike(play, "user", "two orders, money for one", most=20)


def test_one_whose_inserts_wait_for_nobody_is_found_out(play: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks.Locks, "writers", lambda *_: [])
    assert unlike(play, "user", "one request under two ids", most=20)


def test_one_whose_savepoints_keep_their_locks_is_found_out(play: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = locks.Locks.let_go
    monkeypatch.setattr(locks.Locks, "let_go", lambda self, owner, mark=0: None if mark else let_go(self, owner))
    assert unlike(play, "product", "a refused order lets go what another wants", most=40)


def test_one_that_judges_by_what_it_saw_before_it_waited_is_found_out(play: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(self: View, owner: object, began: int, fresh: set[object]) -> None:
        self.began, self.fresh, self.met, self.written = began, set(), None, []
        self.show(owner, began if fresh else None)  # type: ignore[arg-type]

    monkeypatch.setattr(View, "begin_statement", stale)
    assert unlike(play, "user", "two orders, money for one", most=20)

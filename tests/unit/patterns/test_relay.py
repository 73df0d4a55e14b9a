"""The relay is the last defence: whatever happens to one round, there is a next one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import MetaData

from patterns import journal, outbox, relay
from patterns.address import Topic
from patterns.database import Database
from patterns.envelope import Context, Said, seal
from patterns.errors import DatabaseUnavailable
from patterns.relay import PRUNE_SECONDS, Relay
from patterns.runtime import runtime
from patterns.settings import configure
from patterns.shop import StockReleased
from patterns.voice import Voice
from tests.unit.handlers.workbench import word
from tests.unit.patterns.simulated import in_simulated_time, let_pass

NEVER = 10**6


class Voices:
    """Stands where the voice does: notes when it is asked to say what."""

    def __init__(self) -> None:
        self.link = SimpleNamespace(trouble=None)
        self.said: list[tuple[float, int]] = []
        self.fails: list[Exception] = []
        self._began = runtime().monotonic()

    def say(self, said: Sequence[Said]) -> None:
        if said:
            self.said.append((runtime().monotonic() - self._began, len(said)))
            if self.fails:
                raise self.fails.pop(0)


def relaying(folder: Path, *chores: Callable[[], None]) -> tuple[Relay, Voices, Database]:
    """A relay on a SQLite file, in the time of the test."""
    database, voice = Database("own", f"sqlite:///{folder}/own.db"), Voices()
    metadata = MetaData()
    journal.keep_journal(metadata)
    database.create_tables(metadata)
    return Relay("own", database, cast("Voice", voice), chores), voice, database


def words(count: int) -> list[Said]:
    return [seal(word(StockReleased), Topic("stock.released"), Context("topic")) for _ in range(count)]


# -- what is handed over


@in_simulated_time
def test_what_is_handed_over_is_said_at_once_and_together(tmp_path: Path) -> None:
    configure(relay_seconds=NEVER)
    made, voice, _ = relaying(tmp_path)
    made.start()
    let_pass(1)
    made.say_soon(words(2))
    made.say_soon([])
    made.say_soon(words(1))
    let_pass(1)
    made.say_soon(words(1))
    let_pass(1)
    assert made.stop(1), "it is woken for that"
    assert voice.said == [(1, 3), (2, 1)]


@in_simulated_time
def test_whoever_stops_says_what_was_handed_over_and_nothing_else(tmp_path: Path) -> None:
    rounds: list[None] = []
    made, voice, _ = relaying(tmp_path, lambda: rounds.append(None))
    made.say_soon(words(1))
    made.start()
    assert made.stop()
    assert voice.said == [(0, 1)] and rounds == []


@in_simulated_time
def test_whoever_stops_is_told_when_it_takes_too_long(tmp_path: Path) -> None:
    made, _, _ = relaying(tmp_path, lambda: let_pass(NEVER))
    made.start()
    let_pass(1)
    assert not made.stop(1)


@pytest.mark.parametrize("handed", [0, 1])
@in_simulated_time
def test_a_crash_forgets_what_was_handed_over(handed: int, tmp_path: Path) -> None:
    configure(relay_seconds=NEVER)
    made, voice, _ = relaying(tmp_path)
    made.start()
    let_pass(1)
    made.say_soon(words(handed))
    made.abandon()
    made._thread.join(1)
    assert voice.said == [] and not made._thread.is_alive()


# -- rounds


@in_simulated_time
def test_a_round_comes_after_each_pause_and_does_every_chore(tmp_path: Path) -> None:
    rounds: list[float] = []
    made, voice, _ = relaying(
        tmp_path, lambda: rounds.append(runtime().monotonic() - voice._began), lambda: let_pass(1))
    configure(relay_seconds=5)
    made.start()
    let_pass(7)
    made.say_soon(words(1))  # and that is no reason for a round
    let_pass(6)
    made.stop()
    assert rounds == [0, 6, 12]


@in_simulated_time
def test_it_outlives_a_surprise_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made, voice, _ = relaying(tmp_path)
    voice.fails = [DatabaseUnavailable("away"), LookupError("nobody foresaw this")]
    with caplog.at_level(logging.WARNING):
        made.start()
        for _ in range(3):
            made.say_soon(words(1))
            let_pass(1)
        made.stop()
    assert [count for _, count in voice.said] == [1, 1, 1]
    assert [record.message for record in caplog.records] == ["The relay failed and goes on."]


@in_simulated_time
def test_it_prunes_once_a_minute_and_goes_on_at_once_where_much_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned: list[tuple[float, float]] = []
    more = iter([False] + [True] * relay.PRUNE_AT_ONCE)

    def prune(_: object, keep: float) -> bool:
        pruned.append((runtime().monotonic() - voice._began, keep))
        return next(more, False)

    monkeypatch.setattr(journal, "prune", prune)
    configure(relay_seconds=10, journal_days=2)
    made, voice, _ = relaying(tmp_path)
    made.start()
    let_pass(3.5 * PRUNE_SECONDS)
    made.stop()
    assert pruned == [(at, 2 * 86400) for at in [60.0, *[120.0] * relay.PRUNE_AT_ONCE, 130.0, 190.0]]


@in_simulated_time
def test_nothing_is_pruned_while_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, _ = relaying(tmp_path)
    pruned: list[float] = []

    def prune(_: object, keep: float) -> bool:
        pruned.append(keep)
        made._stopping = True
        return True

    monkeypatch.setattr(journal, "prune", prune)
    made._prune()
    assert len(pruned) == 1


# -- what is due


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """So many rows are due each time that somebody asks."""
    due = list[int]()
    monkeypatch.setattr(outbox, "claim", lambda _: words(due.pop(0)))
    yield due


@in_simulated_time
def test_all_that_is_due_is_said_page_by_page(pages: list[int], tmp_path: Path) -> None:
    made, voice, _ = relaying(tmp_path)
    pages[:] = [outbox.CLAIM_ROWS, outbox.CLAIM_ROWS, 3, outbox.CLAIM_ROWS]
    made.sweep()
    assert [count for _, count in voice.said] == [outbox.CLAIM_ROWS, outbox.CLAIM_ROWS, 3]


@in_simulated_time
def test_nothing_is_claimed_while_the_broker_is_away_or_when_it_stops(pages: list[int], tmp_path: Path) -> None:
    made, voice, _ = relaying(tmp_path)
    pages[:] = [outbox.CLAIM_ROWS]
    voice.link.trouble = cast("Any", "away")
    made.sweep()
    voice.link.trouble, made._stopping = None, True
    made.sweep()
    assert voice.said == [] and len(pages) == 1


@in_simulated_time
def test_a_round_says_what_is_due_in_the_outbox(tmp_path: Path) -> None:
    made, voice, database = relaying(tmp_path)
    database.transact(outbox.add, words(2))
    made.start()
    let_pass(60)
    made.stop()
    assert voice.said[0][1] == 2 and voice.said[0][0] <= outbox.GRACE_SECONDS + 2

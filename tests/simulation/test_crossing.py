"""Databases whose transactions cross: what a run on them notices that one on serial databases cannot."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from lab.simulation.crossing_sql import FREE, Dialect
from lab.simulation.faults import Visit
from lab.simulation.locks import KEY_SHARE, NO_KEY_UPDATE, SHARE, UPDATE, Locks, circle
from lab.simulation.run import Result, simulate
from lab.simulation.stores import Kind
from lab.simulation.tier import print_of
from lab.simulation.workload import Wish, Workload
from patterns import outbox
from tests.mutants import patches_crossing as crossing
from tests.mutants.mutant import impatient

RUSH = Workload(
    money=(100_000, 1_200), goods=((1_000, 2),),
    wishes=tuple(Wish(user=1 + number % 2, cancel_after=0.0 if number == 3 else None) for number in range(6)),
)
"""Many come at once for what two of them can have."""


def rush(seed: int, store: Kind = "read-committed") -> Result:
    return simulate(RUSH, seed, instances=2, switching=0.6, store=store)


def test_transactions_cross_and_every_promise_is_kept() -> None:
    results = [rush(seed) for seed in range(4)]
    assert not [result.broken for result in results if result.broken]
    assert sum(result.seen["crossing: waited for a lock"] for result in results) > 0


def test_the_same_seed_is_the_same_run() -> None:
    assert print_of(rush(1)) == print_of(rush(1))
    assert print_of(rush(1)) != print_of(rush(1, "serial"))


@pytest.mark.parametrize("mutant", [crossing.shelf_looked_up, crossing.account_looked_up])
def test_a_guard_that_looks_before_it_writes_is_noticed_here_and_not_where_transactions_are_serial(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    with impatient():
        found = next(seed for seed in range(40) if rush(seed).broken)
        assert "do not add up" in rush(found).broken[0] or "does not add up" in rush(found).broken[0]
        assert not rush(found, "serial").broken


def test_relays_that_sweep_at_once_skip_what_the_other_has_claimed() -> None:
    """A claim is one statement without BEGIN and COMMIT; until it is committed the other relay meets its locks."""

    def unsaid(visit: Visit) -> str | None:
        return "publish lost" if visit.place == "publish" and visit.number < 400 else None

    results = [simulate(RUSH, seed, plan=unsaid, instances=2, switching=0.6, store="read-committed") for seed in range(6)]
    assert not [result.broken for result in results if result.broken]
    assert sum(result.seen["crossing: row skipped"] for result in results) > 0


def test_only_of_rows_that_are_due_a_relay_asks_who_holds_them() -> None:
    asked: list[int] = []
    database = sqlite3.connect(":memory:")
    database.create_function("orderflow_now", 0, lambda: 10.0)
    database.create_function(FREE, 2, lambda _, row: not asked.append(row))
    database.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, sent_at, due_at)")
    database.execute("CREATE INDEX sent ON outbox (sent_at)")  # SQLite then asks for the id before it reads the row
    database.executemany("INSERT INTO outbox VALUES (?, ?, ?)", [(1, None, 9.0), (2, None, 11.0), (3, 5.0, 4.0)])
    due = outbox._DUE.compile(dialect=Dialect(), compile_kwargs={"literal_binds": True})
    assert database.execute(str(due)).fetchall() == [(1,)]
    assert asked == [1]


def test_which_locks_get_along_is_postgresqls_table() -> None:
    """https://www.postgresql.org/docs/15/explicit-locking.html#ROW-LOCK-COMPATIBILITY"""
    conflicts = {(one, other) for one in range(4) for other in range(4) if _conflict(one, other)}
    assert conflicts == {
        (KEY_SHARE, UPDATE), (UPDATE, KEY_SHARE), (SHARE, NO_KEY_UPDATE), (NO_KEY_UPDATE, SHARE), (SHARE, UPDATE),
        (UPDATE, SHARE), (NO_KEY_UPDATE, NO_KEY_UPDATE), (NO_KEY_UPDATE, UPDATE), (UPDATE, NO_KEY_UPDATE), (UPDATE, UPDATE),
    }


def _conflict(one: int, other: int) -> bool:
    locks: Locks[str] = Locks()
    locks.take("somebody", ("users", 0, (1,)), one, written=False)
    return bool(locks.against("me", ("users", 0, (1,)), other))


def test_a_circle_of_waiting_is_found_however_long() -> None:
    assert circle("a", {"a": ["x", "b"], "b": ["c"], "c": ["a"], "x": []}) == ["a", "b", "c"]
    assert circle("a", {"a": ["b"], "b": ["c"], "c": ["b"]}) == []

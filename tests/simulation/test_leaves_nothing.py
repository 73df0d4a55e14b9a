"""A simulated world leaves nothing of it behind in the process that ran it."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from lab.simulation.run import simulate
from lab.simulation.stores import Kind
from lab.simulation.tier import print_of
from lab.simulation.workload import Wish, Workload

ROOT = Path(__file__).parents[2]

PROGRAM = """
import logging, threading
from lab.simulation.run import simulate
from lab.simulation.workload import Workload
assert not simulate(Workload(), 1).broken
from lab.shop import app_of
from patterns.shop import SERVICES
made = [app_of(service).state.service.database for service in SERVICES]
assert all(isinstance(lock, type(threading.Lock())) for one in made for lock in (one._lock, one._writing)), made
print(logging.getLogger().level == logging.WARNING)
"""


def test_a_shop_opened_after_a_simulation_has_locks_and_time_of_its_own() -> None:
    """In a process where the simulation is the first to import the services: what they make then outlives its world."""
    told = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.stdout == "True\n", told.stderr


@pytest.mark.parametrize("store", ["serial", "read-committed"])
def test_databases_that_served_another_run_are_as_new_ones(store: Kind) -> None:
    """Rows, the numbers given to them, and whose functions answer: all of the other run is gone."""
    fresh = simulate(Workload(wishes=(Wish(),) * 3), 3, instances=2, store=store)
    other = simulate(Workload(money=(900, 900, 900), goods=((300, 1),)), 4, store=store)
    assert not other.broken
    del other
    assert print_of(simulate(Workload(wishes=(Wish(),) * 3), 3, instances=2, store=store)) == print_of(fresh)


def test_who_looks_at_a_run_still_finds_its_books_while_others_run() -> None:
    books = simulate(Workload(), 1).books
    simulate(Workload(), 2)
    gc.collect()
    assert books is not None
    assert len(books().orders) == 1

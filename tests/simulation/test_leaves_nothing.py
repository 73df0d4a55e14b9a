"""A simulated world leaves nothing of it behind in the process that ran it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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

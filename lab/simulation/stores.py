"""The kinds of simulated databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from lab.simulation.crossing import CrossingStore
from lab.simulation.store import Store

Kind = Literal["serial", "read-committed"]

STORES: Mapping[Kind, type[Store]] = {"serial": Store, "read-committed": CrossingStore}
"""Transactions one after another, as on SQLite; or crossing statement by statement, as on PostgreSQL."""

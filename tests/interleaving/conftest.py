"""Six databases and stages for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.interleaving.episode import SCENARIOS, Play
from lab.interleaving.on_postgres import stages
from lab.interleaving.stage import Stage
from lab.servers import Databases
from patterns.settings import configure
from patterns.shop import SERVICES
from tests.interleaving.plays import Plays


@pytest.fixture(scope="module")
def built(databases: Databases) -> Iterator[dict[str, Stage]]:
    url = databases.fresh()
    configure(database_url=url)
    with stages(SERVICES) as made:
        yield made
    databases.drop(url)


@pytest.fixture
def play(built: dict[str, Stage]) -> Plays:
    """A scenario by its service and name, in a mode."""
    known = {(scenario.service, scenario.name): scenario for scenario in SCENARIOS}

    def find(service: str, name: str, mode: str = "topic") -> Play:
        return Play(known[service, name], mode, built[service])

    return find

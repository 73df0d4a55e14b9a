"""A SELECT and then a write, locks in any order: noticed when transactions meet on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.servers import Databases
from patterns.settings import configure
from tests.mutants.crossing import CROSSINGS, Crossing, control_crossing, hunt_crossing


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    """Databases for all mutants."""
    made = databases.fresh()
    yield made
    databases.drop(made)


QUICK = ("step-looked-up", "shelf-looked-up", "account-looked-up", "ending-looked-up", "locks-as-they-come")

EACH = [
    pytest.param(mutant, id=name, marks=[] if name in QUICK else pytest.mark.whole) for name, mutant in CROSSINGS.items()
]


@pytest.mark.parametrize("mutant", EACH)
def test_transactions_that_meet_notice_a_guard_that_is_gone(mutant: Crossing, url: str) -> None:
    configure(database_url=url)
    met = hunt_crossing(mutant)
    assert (met is None) is bool(mutant.harmless), met


@pytest.mark.whole
@pytest.mark.parametrize("mutant", CROSSINGS.values(), ids=lambda mutant: mutant.name)
def test_with_the_guard_they_do_not(mutant: Crossing, url: str) -> None:
    configure(database_url=url)
    assert control_crossing(mutant) is None

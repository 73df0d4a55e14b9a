"""Every process of a shop on real servers lacks a defence: the torture's audit objects, and does not when none lacks it."""

from __future__ import annotations

import pytest

from tests.mutants.on_servers import ON_SERVERS, OnServers, hunt_on_servers

pytestmark = [pytest.mark.real, pytest.mark.whole, pytest.mark.timeout(900)]

EACH = [pytest.param(mutant, id=name) for name, mutant in ON_SERVERS.items()]


@pytest.mark.parametrize("mutant", EACH)
def test_the_audit_objects_when_a_defence_is_gone(mutant: OnServers) -> None:
    assert hunt_on_servers(mutant)


@pytest.mark.parametrize("mutant", EACH)
def test_the_same_day_with_the_defence_in_its_place_breaks_nothing(mutant: OnServers) -> None:
    assert hunt_on_servers(mutant, lacking=False) == []

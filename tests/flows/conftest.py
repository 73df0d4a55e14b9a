from __future__ import annotations

import pytest

from lab.local import LocalShop
from patterns.settings import MODES
from tests.flows.words import Words


@pytest.fixture(autouse=True)
def _settings_of_its_own() -> None:
    """The tests of a module share a shop, and with it its settings."""


@pytest.fixture(params=MODES)
def words(request: pytest.FixtureRequest, shop: LocalShop) -> Words:
    return Words(shop, request.param)

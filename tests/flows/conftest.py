from __future__ import annotations

import os
from pathlib import Path

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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On real servers, try these scenarios with one service out of several; embedded, and with FLOWS=whole, with each.

    Which service is away, or dies, makes no difference to a broker or a database; time does, in a run of six minutes.
    """
    if os.environ.get("FLOWS") == "whole":
        return
    left_out = [item for item in items if _is_of_another_service(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_of_another_service(item: pytest.Item) -> bool:
    chosen = getattr(item, "callspec", None)
    return (
        chosen is not None and item.path.parent == Path(__file__).parent and chosen.params.get("shop") == "real"
        and chosen.params.get("service", "payment") != "payment"
    )
